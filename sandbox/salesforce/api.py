"""The REST resources under `/services/data`: which function answers which path, NOT_FOUND for every other."""

from typing import Any

from sandbox.salesforce import changes, collection, describe, errors, ids, rows
from sandbox.salesforce.call import Answer, Call
from sandbox.salesforce.composite import composite
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import DAILY_LIMIT
from sandbox.salesforce.query import LARGEST_BATCH
from sandbox.salesforce.schema import SObject

OLDEST, OLDEST_LIVING, NEWEST = 20, 31, 68
TUNNELLED = "_HttpMethod"


def versions() -> list[dict[str, str]]:
    """Discovery, oldest first: three releases a year, v66.0 being Spring '26."""
    return [
        {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST_LIVING, NEWEST + 1)
    ]


def _label(number: int) -> str:
    """66 is Spring '26, 67 Summer '26, 68 Winter '27."""
    season, lead = (("Spring", 12), ("Summer", 11), ("Winter", 13))[number % 3]
    return f"{season} '{(number + lead) // 3:02d}"


def known_version(version: str) -> None:
    """410 for a version that is retired, 404 for one that never was."""
    whole, _, part = version.partition(".")
    if part != "0" or not (whole.isascii() and whole.isdigit()) or not OLDEST <= int(whole) <= NEWEST:
        raise errors.not_found()
    if int(whole) < OLDEST_LIVING:
        raise ApiError(410, "UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: v{version} is retired")


def serve(call: Call) -> Answer:
    """The answer to an authenticated call; ApiError where Salesforce refuses it."""
    known_version(call.version)
    match call.path:
        case ():
            return _get(call, _resources(call))
        case ("limits",):
            limits = {"Max": DAILY_LIMIT, "Remaining": call.org.remaining}
            return _get(call, {"DailyApiRequests": limits})
        case ("query" | "queryAll" as name, *tail) if len(tail) < 2:
            return _query(call, name, tail)
        case ("sobjects", *_):
            return _sobjects(call.under(1))
        case ("composite",):
            return _composite_resources(call) if call.method == "GET" else composite(call, serve)
        case ("composite", "tree", name):
            return collection.tree(call, name)
        case ("composite", "sobjects", *_):
            return collection.collections(call.under(2))
    raise errors.not_found()


def _get(call: Call, body: Any) -> Answer:
    if call.method not in ("GET", "HEAD"):
        raise errors.method_not_allowed(call.method, "HEAD,GET")
    return Answer(200, body)


def _resources(call: Call) -> dict[str, str]:
    names = ("sobjects", "query", "queryAll", "limits", "composite")
    return {name: f"{call.base}/{name}" for name in names} | {"identity": _identity(call)}


def _identity(call: Call) -> str:
    return f"http://{call.headers.get('host', '127.0.0.1')}/id/{ids.ORGANIZATION}/{ids.USER}"


def _composite_resources(call: Call) -> Answer:
    return Answer(200, {"tree": f"{call.base}/composite/tree", "sobjects": f"{call.base}/composite/sobjects"})


def _query(call: Call, name: str, tail: list[str]) -> Answer:
    if tail:
        return _get(call, call.org.queries.more(tail[0], call.base))
    if "q" not in call.query:
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    batch = _batch_size(call.headers.get("sforce-query-options", ""))
    return _get(call, call.org.queries.run(call.query["q"], call.base, batch, with_deleted=name == "queryAll"))


def _batch_size(options: str) -> int:
    """`Sforce-Query-Options: batchSize=500` is a wish; anything unreadable is ignored."""
    name, _, value = options.partition("=")
    value = value.strip()
    return int(value) if name.strip().lower() == "batchsize" and value.isascii() and value.isdigit() else LARGEST_BATCH


def _sobjects(call: Call) -> Answer:
    if not call.path:
        return _get(call, describe.everything(call.base))
    sobject = collection.known(call.path[0])
    table = call.org.store.tables[sobject.name]
    match call.path[1:]:
        case ():
            return _object(call, sobject)
        case ("describe",):
            return _get(call, describe.full(sobject, call.base))
        case ("updated",):
            return _get(call, changes.updated(table, call.query, call.org.store.clock()))
        case ("deleted",):
            return _get(call, changes.deleted(table, call.query, call.org.store.clock()))
        case (id_,):
            return rows.by_id(call, sobject, id_)
        case (field, value):
            return rows.by_external_id(call, sobject, field, value)
    raise errors.not_found()


def _object(call: Call, sobject: SObject) -> Answer:
    match call.method:
        case "POST":
            return rows.create(call, sobject)
        case "GET" | "HEAD":
            return Answer(200, {"objectDescribe": describe.summary(sobject, call.base), "recentItems": []})
    raise errors.method_not_allowed(call.method, "HEAD,GET,POST")
