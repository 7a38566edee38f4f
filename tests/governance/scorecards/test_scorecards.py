"""A scorecard says what is good about an API, what is not, and whether it gets better."""

import json
from datetime import date, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from gateway.observe import Metrics, Record
from governance.consumers.declared import Application, Use
from governance.contract import Contract
from governance.publishing.digest import digest
from governance.scorecards import objectives, trend
from governance.scorecards.card import Known, Scorecard, scorecards
from governance.scorecards.part import Part
from governance.scorecards.shown import FORMATS
from tests.governance.rules.documents import good

TODAY = date(2026, 11, 21)
API = "process/orders/v1"


def contract(change=None, name="v1.yaml"):
    document = good()
    if change:
        change(document)
    return Contract.parse(yaml.safe_dump(document, sort_keys=False), name)


def parts(*contracts, **known):
    """Of the first contract, by name: score and why."""
    cards = {card.api: card for card in scorecards(contracts, Known(TODAY, **known))}
    return {part.name: part for part in cards[API].parts}


def application(name, *apis):
    return Application(name, "team", "", frozenset(), {api: (Use("list_orders", frozenset()),) for api in apis})


def measured(*answers):
    """As the gateway shows it, of these statuses and seconds."""
    metrics = Metrics(CollectorRegistry())
    for status, seconds in answers:
        metrics.add(Record("process.orders.v1.list_orders", "GET", "/", status, seconds, "c", "c", ""))
    return objectives.read(generate_latest(metrics.registry).decode())


def objective(**said):
    return contract(lambda document: document["info"].update({"x-trivium-slo": said}))


def test_a_broken_rule_costs_more_than_one_that_warns():
    broken = parts(contract(lambda document: document["info"].update(version="1.2")))["lint"]

    assert parts(contract())["lint"].score == 100
    assert broken.score <= 90
    assert "1 errors" in broken.why


@pytest.mark.parametrize(
    ("said", "score"),
    [
        (None, 0),
        ({"cases": 0}, 0),
        ({"cases": 10, "failures": 0, "matrix": {"authorization": 5, "limits": 2}}, 100),
        ({"cases": 10, "failures": 0, "matrix": {"authorization": 5}}, 75),
        ({"cases": 10, "failures": 5, "matrix": {"authorization": 5, "limits": 2}}, 25),
    ],
)
def test_tests_count_by_what_they_found(tmp_path, said, score):
    one = contract()
    if said is not None:
        (tmp_path / "process.orders.v1.json").write_text(json.dumps({**said, "digest": digest(one.source.root)}))

    assert parts(one, tests=tmp_path)["tests"].score == score


def test_tests_of_an_earlier_text_count_half(tmp_path):
    said = {"cases": 10, "matrix": {"authorization": 1, "limits": 1}, "digest": "of another day"}
    (tmp_path / "process.orders.v1.json").write_text(json.dumps(said))

    assert parts(contract(), tests=tmp_path)["tests"].score == 50


def test_who_stays_on_an_old_version_is_named():
    second = contract(lambda document: document["info"].update(version="2.0.0"), "v2.yaml")
    moved, behind = application("moved", "process/orders/v2"), application("behind", API)

    alone = parts(contract(), applications=[behind])["consumers"]
    both = parts(contract(), second, applications=[moved, behind])["consumers"]

    assert (alone.score, both.score, "behind" in both.why) == (100, 50, True)


def test_what_nobody_can_say_does_not_count():
    card = Scorecard(API, "1.0.0", (Part("lint", 30, 80, ""), Part("consumers", 15, None, "")))

    assert card.score == 80
    assert parts(contract())["consumers"].score is None


@given(st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(0, 100)), max_size=6))
def test_a_score_lies_between_those_of_its_parts(said):
    card = Scorecard(API, "1.0.0", tuple(Part(str(at), weight, score, "") for at, (weight, score) in enumerate(said)))
    scores = [score for _, score in said if score is not None]

    assert min(scores, default=0) <= card.score <= max(scores, default=0)


def test_objectives_are_measured_by_what_the_gateway_counted():
    answers = [(200, 0.02)] * 98 + [(200, 0.8), (503, 0.01)]
    found = {
        name: parts(one, measured=counted)["slo"]
        for name, one, counted in (
            ("none", contract(), measured(*answers)),
            ("unmeasured", objective(availability=99.9), {}),
            ("met", objective(availability=98.5, p95_ms=100), measured(*answers)),
            ("missed", objective(availability=99.9, p95_ms=100), measured(*answers)),
            ("slow", objective(p99_ms=5), measured(*answers)),
        )
    }  # fmt: skip

    assert {name: part.score for name, part in found.items()} == {
        "none": 0, "unmeasured": 60, "met": 100, "missed": 50, "slow": 0,
    }  # fmt: skip
    assert "99.00 % instead of 99.9 %" in found["missed"].why


@given(st.lists(st.floats(0.0001, 20), min_size=1, max_size=60), st.integers(1, 99))
def test_a_latency_is_never_shown_as_better_than_it_was(seconds, percent):
    longest = measured(*[(200, one) for one in seconds])[API].longest(percent)

    assert sum(one <= longest for one in seconds) * 100 >= len(seconds) * percent


def test_words_and_examples_are_counted():
    def silent(document):
        for item in document["paths"].values():
            for operation in item.values():
                operation.pop("description", None)

    assert parts(contract(silent))["documentation"].score < parts(contract())["documentation"].score


def test_the_trend_keeps_the_last_score_of_a_day_and_two_years(tmp_path):
    file = tmp_path / "deep" / "trend.jsonl"

    def scored(score, day):
        return trend.record(file, [Scorecard(API, "1.0.0", (Part("lint", 1, score, ""),))], day)

    scored(10, TODAY - timedelta(days=800))
    scored(40, TODAY - timedelta(days=31))
    scored(50, TODAY)
    scored(60, TODAY)

    known = trend.read(file)
    assert known == {API: {TODAY - timedelta(days=31): 40, TODAY: 60}}
    assert trend.change(known, Scorecard(API, "1.0.0", (Part("lint", 1, 60, ""),)), TODAY) == 20
    assert len(file.read_text().splitlines()) == 2


def test_a_trend_that_cannot_be_read_is_not_overwritten(tmp_path):
    file = tmp_path / "trend.jsonl"
    file.write_text('{"day": "someday"}\n')

    with pytest.raises(trend.BadTrend, match="line 1"):
        trend.record(file, [], TODAY)

    assert file.read_text() == '{"day": "someday"}\n'


def test_every_format_tells_the_score_and_its_change():
    card = Scorecard(API, "1.0.0", (Part("lint", 1, 90, "1 errors"), Part("consumers", 1, None, "nobody")))
    known = {API: {TODAY - timedelta(days=40): 70}}
    shown = {name: show([card], known, TODAY) for name, show in FORMATS.items()}

    assert "90 (+20 in 30 days)  process/orders/v1 1.0.0" in shown["text"]
    assert "| process/orders/v1 1.0.0 | 90 | +20 | 90 | – |" in shown["markdown"]
    (said,) = json.loads(shown["json"])["scorecards"]
    assert (said["score"], said["change_30_days"], said["parts"][1]["score"]) == (90, 20, None)
