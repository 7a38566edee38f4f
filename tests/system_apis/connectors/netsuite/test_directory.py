import asyncio

import pytest

from kernel.problem import BadPlatformAnswer, Conflict, PlatformDown, Refused
from kernel.settings import Connection
from system_apis.connector import Secrets
from system_apis.connectors.netsuite.client import NetSuiteClient
from system_apis.connectors.netsuite.directory import Directory, Remembered
from tests.system_apis.connectors.netsuite.conftest import OwnClock, Scripted


class Asking:
    """Answers with how often it was asked; None, or a failure, as long as told so."""

    def __init__(self) -> None:
        self.times, self.knows, self.fails = 0, True, False

    async def __call__(self, key: str) -> str | None:
        self.times += 1
        await asyncio.sleep(0)
        if self.fails:
            raise PlatformDown("NetSuite cannot be reached")
        return f"{key} {self.times}" if self.knows else None


@pytest.fixture
def asking() -> Asking:
    return Asking()


@pytest.fixture
def remembered(asking: Asking, clock: OwnClock) -> Remembered[str, str]:
    return Remembered(asking, clock, 600)


async def test_an_answer_is_taken_for_true_until_it_is_old(remembered: Remembered[str, str], clock: OwnClock) -> None:
    seen = []
    for later in (0, 599, 1):
        clock.seconds += later
        seen.append(await remembered.get("EUR"))

    assert seen == ["EUR 1", "EUR 1", "EUR 2"]


async def test_all_who_wait_ask_once(remembered: Remembered[str, str], asking: Asking) -> None:
    assert set(await asyncio.gather(*(remembered.get("EUR") for _ in range(20)))) == {"EUR 1"}
    assert asking.times == 1


async def test_that_there_is_none_is_asked_again(remembered: Remembered[str, str], asking: Asking) -> None:
    asking.knows = False
    assert await remembered.get("EUR") is None
    asking.knows = True

    assert await remembered.get("EUR") == "EUR 2"


async def test_a_failure_is_not_remembered(remembered: Remembered[str, str], asking: Asking) -> None:
    asking.fails = True
    with pytest.raises(PlatformDown):
        await remembered.get("EUR")
    asking.fails = False

    assert await remembered.get("EUR") == "EUR 2"


async def test_who_gives_up_waiting_leaves_the_others_asking(remembered: Remembered[str, str]) -> None:
    first, second = (asyncio.create_task(remembered.get("EUR")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == "EUR 2"


@pytest.fixture
async def directory(to_script: Connection, clock: OwnClock):  # type: ignore[no-untyped-def]
    client = NetSuiteClient(to_script, Secrets(to_script), clock)
    yield Directory(client, clock)
    await client.close()


def rows(*found: dict[str, str]) -> dict[str, object]:
    return {"items": [{"links": [], **one} for one in found], "hasMore": False}


async def test_terms_have_exactly_the_days_and_no_discount(directory: Directory, scripted: Scripted) -> None:
    scripted.say(200, rows({"id": "3", "discountpercent": "2"}, {"id": "5", "discountpercent": "0"}, {"id": "6"}))

    assert await directory.terms(30) == "5"
    assert '"params":[30]' in scripted.asked[0].body


async def test_terms_that_only_a_discount_has_are_no_terms(directory: Directory, scripted: Scripted) -> None:
    scripted.say(200, rows({"id": "3", "discountpercent": "2"}))

    with pytest.raises(Refused) as refusal:
        await directory.terms(10)

    assert (refusal.value.field, refusal.value.system) == ("terms.payment_days", "netsuite-us")
    assert "10 days" in (refusal.value.fix or "")


async def test_a_currency_that_the_account_lacks_is_refused(directory: Directory, scripted: Scripted) -> None:
    scripted.say(200, rows())

    with pytest.raises(Refused) as refusal:
        await directory.currency("JPY")

    assert refusal.value.field == "currency"


async def test_a_currency_that_a_record_names_and_nobody_knows_is_unintelligible(
    directory: Directory, scripted: Scripted
) -> None:
    scripted.say(200, rows())

    with pytest.raises(BadPlatformAnswer):
        await directory.symbol("99")


async def test_an_active_tax_item_goes_before_an_inactive_one(directory: Directory, scripted: Scripted) -> None:
    scripted.say(200, rows({"id": "9", "itemid": "VAT", "isinactive": "F"}, {"id": "3", "itemid": "VAT", "isinactive": "T"}))

    assert await directory.tax_item("VAT", "lines.L1.tax_code") == "9"


@pytest.mark.parametrize("found", [[], [{"id": "9", "itemid": "VAT", "isinactive": "T"}]])
async def test_a_tax_item_that_cannot_be_used_is_the_fault_of_the_line(
    directory: Directory, scripted: Scripted, found: list[dict[str, str]]
) -> None:
    scripted.say(200, rows(*found))

    with pytest.raises(Refused) as refusal:
        await directory.tax_item("VAT", "lines.L1.tax_code")

    assert refusal.value.field == "lines.L1.tax_code"


async def test_two_active_tax_items_of_one_name_are_not_chosen_between(directory: Directory, scripted: Scripted) -> None:
    scripted.say(200, rows(*({"id": id, "itemid": "VAT", "isinactive": "F"} for id in ("9", "10"))))

    with pytest.raises(Conflict, match="9, 10"):
        await directory.find_tax_code("VAT")
