"""A problem survives its trip through JSON as the class it was."""

import json
import pickle

import pytest

from kernel.problem import Forbidden, OutcomeUnknown, PlatformTimeout, Problem, TooManyRequests, Unmapped


@pytest.mark.parametrize("kind", sorted(set(Problem.known.values()), key=lambda kind: kind.slug))
def test_every_problem_comes_back_as_what_it_was(kind):
    said = kind("what happened", field="order.lines[0]", system="netsuite", fix="do this", retry_after=3, extra=["kept"])

    found = Problem.from_body(json.loads(json.dumps(said.body())), retry_after=3)

    assert type(found) is kind
    assert found.body() == said.body()
    assert (found.retryable, found.ambiguous, found.response_headers()) == (kind.retryable, kind.ambiguous, {"Retry-After": "3"})


def test_a_type_nobody_knows_is_an_internal_problem():
    assert Problem.from_body({"type": "https://elsewhere/odd", "status": 400, "detail": "?"}).status == 500


def test_quota_is_told_by_the_registered_type():
    assert TooManyRequests("x").type == "https://iana.org/assignments/http-problem-types#quota-exceeded"


def test_a_missing_scope_is_told_as_rfc_6750_wants():
    problem = Forbidden.insufficient_scope(["orders:write"])

    assert problem.response_headers()["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="orders:write"'
    assert problem.body()["missing_scopes"] == ["orders:write"]


def test_only_what_may_have_happened_is_ambiguous():
    assert PlatformTimeout("x").ambiguous
    assert OutcomeUnknown("x").ambiguous
    assert not Unmapped("x").ambiguous


def test_problems_can_be_pickled_between_processes():
    assert pickle.loads(pickle.dumps(Unmapped("x", field="f"))).body() == Unmapped("x", field="f").body()  # noqa: S301
