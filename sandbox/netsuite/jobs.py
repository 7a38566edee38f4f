"""Asynchronous requests: a job with one task and its result; the idempotency key counts here and nowhere else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.responses import Response

from sandbox.netsuite.errors import Refused, nonexistent
from sandbox.netsuite.present import links
from sandbox.netsuite.wire import instant

ROOT = "/services/rest/async/v1/job"


@dataclass
class Job:
    """A request that ran, and what it answered. Its first look still says pending, so that clients must poll."""

    id: str
    response: Response
    started: datetime
    ended: datetime
    looked_at: bool = False

    @property
    def succeeded(self) -> bool:
        return self.response.status_code < 400


@dataclass
class Jobs:
    """All jobs of the account, and the job of each idempotency key."""

    jobs: dict[str, Job] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)

    def check(self, key: str | None) -> None:
        """A key that was used answers 400, titled Conflict, with the first job's location."""
        if key is not None and key in self.by_key:
            detail = "The request with this idempotency key was already submitted."
            location = {"Location": f"{ROOT}/{self.by_key[key]}"}
            raise Refused(400, "IDEMPOTENCY_ERROR", detail, {"o:errorHeader": "X-NetSuite-Idempotency-Key"}, location, "Conflict")

    def accept(self, response: Response, key: str | None, started: datetime, ended: datetime) -> Response:
        job = Job(str(len(self.jobs) + 1), response, started, ended)
        self.jobs[job.id] = job
        if key is not None:
            self.by_key[key] = job.id
        headers = {"Location": f"{ROOT}/{job.id}", "Preference-Applied": "respond-async"}
        return Response(b"", 202, headers, "application/json")

    def find(self, identifier: str, url: str) -> Job:
        if identifier not in self.jobs:
            raise nonexistent(url)
        return self.jobs[identifier]


def job_body(job: Job, root: str) -> dict[str, Any]:
    """The job; pending at its first look."""
    done, job.looked_at = job.looked_at, True
    here = f"{root}/async/v1/job/{job.id}"
    state = {"completed": done, "id": job.id, "progress": _progress(job) if done else "pending"}
    return {"links": links({"self": here}), **state, "task": {"links": links({"self": f"{here}/task"})}}


def task_list(job: Job, root: str) -> dict[str, Any]:
    here = f"{root}/async/v1/job/{job.id}/task"
    items = [{"links": links({"self": f"{here}/1"}), "id": "1"}]
    return {"links": links({"self": here}), "items": items, "count": 1, "hasMore": False, "offset": 0, "totalResults": 1}


def task_body(job: Job, root: str) -> dict[str, Any]:
    here = f"{root}/async/v1/job/{job.id}/task/1"
    times = {"startTime": instant(job.started), "endTime": instant(job.ended)}
    result = {"result": {"links": links({"self": f"{here}/result"})}}
    return {"links": links({"self": here}), "completed": True, "id": "1", "progress": _progress(job), **times, **result}


def _progress(job: Job) -> str:
    return "succeeded" if job.succeeded else "failed"
