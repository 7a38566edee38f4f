"""The matcher finds the one template for a path, or none, however many there are."""

from collections.abc import Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts import BadContract
from gateway.pipeline import Call, Operation
from gateway.routes import Router, shape

Make = Callable[..., Operation]
SEGMENTS = st.sampled_from(["a", "b", "c", "{x}", "{y}"])


async def _nowhere(call: Call) -> None:
    raise AssertionError


@pytest.fixture
def router(operation: Make) -> Callable[..., Router]:
    def build(*templates: str) -> Router:
        pairs = [template.split(" ") if " " in template else ["GET", template] for template in templates]
        return Router([(operation(id=f"{m} {path}", method=m, path=path), _nowhere) for m, path in pairs])

    return build


def _found(router: Router, path: str, method: str = "GET") -> str | None:
    place = router.find(path[1:].split("/"))
    return place.methods[method].operation.path if place else None


def test_plain_segments_win_over_parameters(router: Callable[..., Router]) -> None:
    found = router("/orders/{id}", "/orders/search")

    assert _found(found, "/orders/search") == "/orders/search"
    assert _found(found, "/orders/7") == "/orders/{id}"


def test_a_plain_segment_that_leads_nowhere_does_not_hide_a_parameter(router: Callable[..., Router]) -> None:
    found = router("/a/{x}/d", "/a/b/c")

    assert _found(found, "/a/b/d") == "/a/{x}/d"


def test_parameters_are_read_by_position(router: Callable[..., Router]) -> None:
    place = router("/a/{x}/b/{y}").find(["a", "1", "b", "2"])

    assert place is not None
    assert place.methods["GET"].values(["a", "1", "b", "2"]) == {"x": "1", "y": "2"}


@pytest.mark.parametrize("path", ["/", "/orders", "/orders/1/2", "/Orders/1", "/other"])
def test_an_unknown_path_finds_nothing(router: Callable[..., Router], path: str) -> None:
    assert router("/orders/{id}").find(path[1:].split("/")) is None


def test_allow_is_complete_and_head_comes_with_get(router: Callable[..., Router]) -> None:
    place = router("GET /a/{x}", "DELETE /a/{id}").find(["a", "1"])

    assert place is not None
    assert place.allow == "DELETE, GET, HEAD, OPTIONS"
    assert place.methods["HEAD"] is place.methods["GET"]


@pytest.mark.parametrize("pair", [("/a/{x}", "/a/{y}"), ("/a/b", "/a/b"), ("/{x}/b", "/{y}/b")])
def test_the_same_method_on_the_same_shape_stops_the_start(router: Callable[..., Router], pair: tuple[str, str]) -> None:
    with pytest.raises(BadContract, match="are the same path"):
        router(*pair)


def test_two_templates_of_which_neither_is_more_specific_stop_the_start(router: Callable[..., Router]) -> None:
    with pytest.raises(BadContract, match=r"some paths fit each of /a/b/{y}, /a/{x}/c"):
        router("/a/{x}/c", "/a/b/{y}")


def test_a_third_template_may_settle_what_two_leave_open(router: Callable[..., Router]) -> None:
    found = router("/a/{x}/c", "/a/b/{y}", "/a/b/c")

    assert _found(found, "/a/b/c") == "/a/b/c"


@settings(max_examples=300, deadline=None)
@given(st.sets(st.lists(SEGMENTS, min_size=1, max_size=4).map(tuple), min_size=1, max_size=8), st.data())
def test_the_matcher_never_picks_two_nor_misses_one(templates: set[tuple[str, ...]], data: st.DataObject) -> None:
    shapes = {shape("/" + "/".join(template)): "/" + "/".join(template) for template in templates}
    make = [(_operation(path), _nowhere) for path in shapes.values()]
    try:
        router = Router(make)
    except BadContract:
        return
    segments = data.draw(st.lists(st.sampled_from(["a", "b", "c", "z"]), min_size=1, max_size=4))
    fitting = [
        form for form in shapes if len(form) == len(segments) and all(f in (None, s) for f, s in zip(form, segments, strict=True))
    ]

    place = router.find(segments)

    assert (place is None) == (not fitting)
    if place is not None:
        assert place.shape in fitting
        assert all(all(w is None or n == w for n, w in zip(place.shape, wide, strict=True)) for wide in fitting)


def _operation(path: str) -> Operation:
    return Operation(
        id=path, api="a", version="1", layer="process", method="GET", path=path, scopes=frozenset(), public=True, limits={},
        idempotency="none", timeout=1, max_body=0, audience="internal", path_parameters={}, query_parameters={},
        required_query=frozenset(), header_parameters={}, required_headers=frozenset(), body_schema=None, body_required=False,
        body_media=(),
    )  # fmt: skip


def test_finding_takes_the_same_steps_for_ten_and_for_ten_thousand_operations() -> None:
    def seconds(count: int) -> float:
        router = Router([(_operation(f"/api{number % 200}/v1/things{number}/{{id}}/parts"), _nowhere) for number in range(count)])
        wanted = [f"api{(count - 1) % 200}", "v1", f"things{count - 1}", "7", "parts"]
        rounds = []
        for _ in range(20):
            start = perf_counter()
            for _ in range(200):
                assert router.find(wanted) is not None
            rounds.append(perf_counter() - start)
        return min(rounds)

    assert seconds(10_000) < 5 * seconds(10)
