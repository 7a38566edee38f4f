"""A promise is made only with everything that belongs to it, changes only compatibly, and ends as announced."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from governance.bundle import bundle
from governance.consumers.declared import Application, Use
from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.publishing import evidence, lock, signing
from governance.publishing.digest import digest, promised
from governance.publishing.publish import Desk, Refused, approve, deprecate, publish, retire
from governance.publishing.verification import faults
from tests.governance.rules.documents import TODAY, good

KEY = "process/orders/v1"


@pytest.fixture
def desk(tmp_path):
    signing.make("release", tmp_path / "contracts", tmp_path / "data" / "release.pem")
    return Desk(
        tmp_path / "contracts", tmp_path / "tests", [], Configuration(), TODAY, "release", tmp_path / "data" / "release.pem"
    )


def contract(change=None, **info):
    document = good()
    document["info"].update(info)
    if change:
        change(document)
    return Contract.parse(json.dumps(document))


def checked(desk, made, **said):
    desk.tests.mkdir(exist_ok=True)
    run = {
        "digest": digest(promised(bundle(made))),
        "cases": 9,
        "failures": 0,
        "matrix": {"authorization": 5, "limits": 3},
        **said,
    }
    (desk.tests / "process.orders.v1.json").write_text(json.dumps(run))


def ready(desk, made):
    checked(desk, made)
    approve(desk, made, "orders", "ada")
    return made


def in_force(desk, made):
    return lock.applied(bundle(made), lock.read(desk.lock))


def test_what_is_published_is_locked_and_its_evidence_is_signed(desk):
    made = ready(desk, contract())

    release = publish(desk, made)

    assert lock.read(desk.lock) == {KEY: release}
    assert (release.stage, release.published) == ("published", TODAY.isoformat())
    assert faults(desk.contracts, {"v1.yaml": in_force(desk, made)}) == []
    kept = evidence.read(desk.contracts, "process/orders", "1.2.0")
    assert (kept.tests["cases"], [one["team"] for one in kept.approvals]) == (9, ["orders"])


def test_everything_that_stands_in_the_way_is_said_at_once(desk):
    made = contract(lambda d: d["info"].pop("license"))

    with pytest.raises(Refused) as refused:
        publish(desk, made)

    said = str(refused.value)
    assert "[info-complete]" in said
    assert "contract tests have not been run" in said
    assert "orders has not agreed" in said
    assert not desk.lock.exists()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"failures": 2}, "2 failures"),
        ({"cases": 0}, "made no case"),
        ({"matrix": {"limits": 1}}, "authorization matrix was not run"),
        ({"digest": "sha-256=:other:"}, "have not been run on this contract as it is"),
    ],
)
def test_evidence_of_tests_must_be_good_and_of_this_very_promise(desk, said, why):
    made = ready(desk, contract())
    checked(desk, made, **said)

    with pytest.raises(Refused, match=why):
        publish(desk, made)


def _wider(document):
    document["components"]["schemas"]["Count"]["maximum"] = 20


def _narrower(document):
    document["components"]["schemas"]["Count"]["maximum"] = 2


@pytest.mark.parametrize(
    ("change", "version", "why"),
    [
        (_wider, "1.2.0", "a compatible change is 1.3.0"),
        (_narrower, "1.3.0", "needs a new major"),
        (
            lambda d: d["components"]["schemas"]["NewOrder"]["properties"].update(more={"type": "boolean"}),
            "1.2.1",
            "nothing was added",
        ),
    ],
)
def test_the_version_must_say_how_much_changed(desk, change, version, why):
    publish(desk, ready(desk, contract()))

    with pytest.raises(Refused, match=why):
        publish(desk, ready(desk, contract(change, version=version)))


def test_a_compatible_change_is_published_as_a_minor(desk):
    publish(desk, ready(desk, contract()))

    release = publish(desk, ready(desk, contract(_wider, version="1.3.0")))

    assert release.version == "1.3.0"
    assert [one.version for one in evidence.releases(desk.contracts, "process/orders")] == ["1.2.0", "1.3.0"]


def _application(*fields):
    use = Use("list_orders", frozenset(fields))
    return Application("portal", "sales", "", frozenset(), {KEY: (use,)})


def _without_total(document):
    del document["components"]["schemas"]["Orders"]["properties"]["items"]


def test_whom_a_change_may_break_must_agree_to_it(desk):
    publish(desk, ready(desk, contract()))
    concerned = replace(desk, applications=[_application("items")])
    elsewhere = replace(desk, applications=[_application("other")])
    made = ready(desk, contract(_without_total, version="1.3.0"))

    with pytest.raises(Refused, match="sales has not agreed"):
        publish(concerned, made)
    assert publish(elsewhere, made).version == "1.3.0"


def test_what_was_changed_after_publishing_is_noticed(desk):
    made = ready(desk, contract())
    publish(desk, made)
    document = in_force(desk, made)
    file = evidence.place(desk.contracts, "process/orders", "1.2.0")

    assert "is not what was published" in faults(desk.contracts, {"v1": {**document, "servers": []}})[0]
    assert "lifecycle is not that of" in faults(
        desk.contracts, {"v1": {**document, "info": {**document["info"], "x-trivium-lifecycle": {"stage": "deprecated"}}}}
    )[0]  # fmt: skip
    file.write_text(file.read_text().replace('"ada"', '"eve"'))
    assert "is not signed by a key" in faults(desk.contracts, {"v1": document})[0]
    file.unlink()
    assert "there is no evidence" in faults(desk.contracts, {"v1": document})[0]
    assert "has no contract any more" in faults(desk.contracts, {})[0]


def test_a_signature_of_a_stranger_is_none(desk, tmp_path):
    signing.make("stranger", tmp_path / "elsewhere", tmp_path / "stranger.pem")
    publish(replace(desk, key="stranger", private=tmp_path / "stranger.pem"), ready(desk, contract()))

    assert "is not signed by a key" in faults(desk.contracts, {"v1": in_force(desk, contract())})[0]


def test_nobody_calls_himself_published(desk):
    said = bundle(contract(**{"x-trivium-lifecycle": {"stage": "published"}}))

    assert "published.lock does not know it" in faults(desk.contracts, {"v1": said})[0]


def test_the_next_version_may_be_written_beside_what_is_published(desk):
    publish(desk, ready(desk, contract()))

    assert faults(desk.contracts, {"v1": bundle(contract(_wider, version="1.3.0"))}) == []
    assert "says that it is a draft" in faults(desk.contracts, {"v1": bundle(contract(_wider))})[0]


def test_an_end_is_announced_in_time_and_kept(desk):
    publish(desk, ready(desk, contract()))
    sunset = TODAY + timedelta(days=120)

    with pytest.raises(Refused, match="90 days of notice"):
        deprecate(desk, KEY, sunset=TODAY + timedelta(days=30), successor="")
    release = deprecate(desk, KEY, sunset=sunset, successor="")
    with pytest.raises(Refused, match="may end later, not sooner"):
        deprecate(desk, KEY, sunset=sunset - timedelta(days=10), successor="")
    with pytest.raises(Refused, match="callers would have nowhere to go"):
        deprecate(desk, KEY, sunset=sunset, successor="process/orders/v2")

    assert release.lifecycle() == {"stage": "deprecated", "deprecated": TODAY.isoformat(), "sunset": sunset.isoformat()}
    assert faults(desk.contracts, {"v1": in_force(desk, contract())}) == []


def test_what_is_used_is_not_retired(desk):
    publish(desk, ready(desk, contract()))
    deprecate(desk, KEY, sunset=TODAY + timedelta(days=120), successor="")
    later = replace(desk, today=date(2027, 6, 1))

    with pytest.raises(Refused, match="ends on"):
        retire(desk, KEY, [])
    with pytest.raises(Refused, match="still used by portal"):
        retire(replace(later, applications=[_application()]), KEY, [])
    with pytest.raises(Refused, match="still used by tvc_9"):
        retire(later, KEY, ["tvc_9"])
    assert retire(later, KEY, []).stage == "retired"


def test_the_digest_is_of_what_is_said_not_of_how():
    one, other = good(), json.loads(json.dumps(good(), sort_keys=True))
    other["info"]["x-trivium-lifecycle"] = {"stage": "published"}

    assert digest(one) == digest(other)
    assert digest(one) != digest({**one, "servers": []})
