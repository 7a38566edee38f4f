"""What was published is in force as it was published, or not at all."""

import json
from dataclasses import replace

import pytest
import yaml

from gateway.configuration.bundle import BadConfiguration, read_bundle
from governance.bundle import bundle
from governance.contract import Contract
from governance.lint.configuration import Configuration
from governance.publishing import lock, signing
from governance.publishing.digest import digest, promised
from governance.publishing.publish import Desk, approve, publish
from kernel.settings import Settings
from tests.governance.rules.documents import TODAY, good


@pytest.fixture
def estate(tmp_path):
    """A folder with one published contract, as `trivium contracts publish` leaves it."""
    home, tests = tmp_path / "contracts", tmp_path / "tests"
    signing.make("release", home, tmp_path / "release.pem")
    desk = Desk(home, tests, [], Configuration(), TODAY, "release", tmp_path / "release.pem")
    contract = Contract.parse(json.dumps(good()))
    tests.mkdir()
    run = {"digest": digest(promised(bundle(contract))), "cases": 1, "failures": 0, "matrix": {"authorization": 1, "limits": 1}}
    (tests / "process.orders.v1.json").write_text(json.dumps(run))
    approve(desk, contract, "orders", "ada")
    publish(desk, contract)
    place = home / "openapi" / "process" / "orders" / "v1.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(yaml.safe_dump(lock.applied(good(), lock.read(desk.lock))))
    return place


def in_force(place):
    return read_bundle(Settings.model_construct(), place.parents[2], place.parents[2])


def test_a_published_contract_with_its_evidence_is_in_force(estate):
    assert list(in_force(estate).contracts) == ["process/orders/v1.yaml"]


def test_one_that_was_changed_after_it_was_published_is_refused(estate):
    estate.write_text(estate.read_text().replace("maximum: 100", "maximum: 5"))

    with pytest.raises(BadConfiguration, match=r"1\.2\.0 is not what was published as 1\.2\.0"):
        in_force(estate)


def test_one_whose_evidence_is_gone_is_refused(estate):
    (estate.parents[3] / "evidence" / "process" / "orders" / "1.2.0.json").unlink()

    with pytest.raises(BadConfiguration, match=r"there is no evidence for process/orders 1\.2\.0"):
        in_force(estate)


def test_one_that_calls_itself_published_is_refused(estate):
    lock.write(estate.parents[3] / lock.FILE, {})

    with pytest.raises(BadConfiguration, match="says that it is published"):
        in_force(estate)


def test_an_announced_end_that_the_lock_does_not_know_is_refused(estate):
    file = estate.parents[3] / lock.FILE
    lock.write(file, {name: replace(one, stage="deprecated") for name, one in lock.read(file).items()})

    with pytest.raises(BadConfiguration, match="its lifecycle is not that of"):
        in_force(estate)
