"""The reading endpoints that all resources share: retrieve, and search."""

from sandbox.stripe.account import Call
from sandbox.stripe.parameters import EXPAND, SEARCH
from sandbox.stripe.routing import Operation
from sandbox.stripe.search import page_of
from sandbox.stripe.wire import Wire


def retrieve(path: str, object_: str) -> Operation:
    """GET of one object by the last part of the path; one that was deleted answers with its tombstone."""
    part = path.rsplit("{", 1)[1].rstrip("}")

    def handler(call: Call) -> Wire:
        gone = call.account.table(object_).deleted.get(call.path[part])
        return gone or call.named(object_, part)

    return Operation("GET", path, handler, EXPAND)


def search(path: str, object_: str) -> Operation:
    """GET of the objects that a query finds in the index, which lags behind."""

    def handler(call: Call) -> Wire:
        ids, next_page = page_of(call.account.search.find(object_, call.params["query"]), call.params)
        rows = call.account.table(object_).rows
        data = [rows[id] for id in ids if id in rows]
        return {"object": "search_result", "data": data, "has_more": next_page is not None, "next_page": next_page, "url": path}

    return Operation("GET", path, handler, SEARCH)
