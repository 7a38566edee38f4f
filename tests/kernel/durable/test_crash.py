"""Killing: processes die at random moments, every run ends, and the vendor holds one record per step."""

import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.kernel.durable.places import Place
from tests.kernel.durable.worker import STEPS, arguments, effects

ROOT = Path(__file__).parents[3]
RUNS = 40
EVERY_STEP_ONCE = {f"order:Q-{n}:{step}" for n in range(RUNS) for step in STEPS}


@contextmanager
def worker(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A worker that has launched; dead for good at the end of the block."""
    command, pipe = arguments(place.url, place.data, RUNS), subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def begins(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def lives_for(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


@pytest.mark.slow
def test_runs_survive_kills_at_random_moments(place: Place) -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    effects(place.url, place.data)
    left = []
    for _ in range(4):
        with worker(place) as process:
            begins(process)
            lives_for(process, dice.uniform(0.05, 0.4))
        left.append(len(EVERY_STEP_ONCE) - len(effects(place.url, place.data)))
    with worker(place) as process:
        begins(process)
        unfinished, _ = process.communicate(timeout=60)
    made = effects(place.url, place.data)

    assert unfinished.strip() == "[]", f"seed {seed}"
    assert set(made) == EVERY_STEP_ONCE, f"seed {seed}"
    assert left[0] > 0, f"no kill came before the end of the work, seed {seed}"


@pytest.mark.slow
def test_a_worker_takes_over_from_one_that_died_for_good(server: Place) -> None:
    effects(server.url, server.data)
    with worker(server) as survivor:
        with worker(server) as victim:
            begins(victim)
            while len(effects(server.url, server.data)) < RUNS:
                lives_for(victim, 0.02)
            begins(survivor)
        owners = _owners(server.url)
        unfinished, _ = survivor.communicate(timeout=60)

    assert any(f"-{victim.pid}-" in owner for owner in owners), "the victim had unfinished runs when it died"
    assert unfinished.strip() == "[]"
    assert set(effects(server.url, server.data)) == EVERY_STEP_ONCE
    assert _owners(server.url) == set()


def _owners(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE status = 'PENDING'").fetchall()
    return {row[0] for row in rows}
