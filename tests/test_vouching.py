"""Server-side callers: what a client with a token vouches for, and nobody else can (issue 3, Embedding)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.settings import Limits
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, bearer
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

VISITOR = {"ip": "198.51.100.9", "page": "https://shop.example/checkout", "time": "2026-11-23T11:59:58Z"}


def call(world: World, **members: Any) -> TestResponse:
    return world.sign_up(ANNE, NEWS, headers=bearer("subscribe"), **members)


def proof(world: World) -> Any:
    [one] = world.evidence()
    return one


def pointers(answer: TestResponse) -> list[str]:
    return [one["pointer"] for one in answer.get_json()["errors"]]


def test_the_evidence_holds_the_visitor_as_the_client_vouches(world: World) -> None:
    assert call(world, **VISITOR).status_code == 202
    one = proof(world)
    assert (one.ip, one.ip_source) == ("198.51.100.9", "client")
    assert one.actor is not None
    assert (one.details["page"], one.details["submitted_at"]) == (VISITOR["page"], VISITOR["time"])


def test_the_24_hours_count_from_our_own_registration(world: World) -> None:
    call(world, **VISITOR | {"time": "2026-11-22T13:00:00Z"})
    [row] = world.registrations()
    assert row.registered_at == world.clock.now() == proof(world).at


def test_each_of_several_lists_has_it_in_its_evidence(world: World) -> None:
    body = {"email": ANNE, "lists": [NEWS, OFFERS], **VISITOR}
    assert world.post("/api/v1/subscriptions", json=body, headers=bearer("subscribe")).status_code == 202
    assert [(one.ip, one.details["page"]) for one in world.evidence()] == [("198.51.100.9", VISITOR["page"])] * 2


def test_without_a_token_each_of_them_is_refused(world: World) -> None:
    answer = world.sign_up(ANNE, NEWS, **VISITOR)
    assert (answer.status_code, sorted(pointers(answer))) == (422, ["/ip", "/page", "/time"])
    assert "token" in answer.get_json()["errors"][0]["detail"]
    assert world.registrations() == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:198.51.100.9", "198.51.100.9"),
    ],
)
def test_an_ip_is_kept_in_its_usual_form(world: World, given: str, kept: str) -> None:
    call(world, ip=given)
    assert proof(world).ip == kept


@each("wrong", ["", "localhost", "198.51.100.300", "198.51.100.9/24", "fe80::1%eth0", "1"])
def test_what_is_no_ip_is_refused(world: World, wrong: str) -> None:
    assert (call(world, ip=wrong).status_code, world.registrations()) == (422, [])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example/a?email=x&y=1#z", "https://shop.example/a"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://shop.example/" + "a" * 479, "https://shop.example/" + "a" * 479),
    ],
)
def test_a_page_is_kept_without_what_may_name_the_visitor(world: World, given: str, kept: str) -> None:
    assert call(world, page=given).status_code == 202
    assert proof(world).details["page"] == kept


@each(
    "wrong",
    ["", "shop.example", "ftp://shop.example/", "javascript:alert(1)", "https://", "https://shop.example/ä",
     "https://anne@shop.example/", "https://shop.example/anne%40example.org", "https://shop.example/a b",
     "https://shop.example/" + "a" * 480, "https://[::1", "https://shop.example:99999/"],
)  # fmt: skip
def test_what_is_no_page_is_refused(world: World, wrong: str) -> None:
    answer = call(world, page=wrong)
    assert (answer.status_code, pointers(answer)) == (422, ["/page"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-11-23T12:05:00Z", "2026-11-23T12:05:00Z"),
        ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
        ("2026-11-23t13:00:00.5+01:00", "2026-11-23T12:00:00Z"),
    ],
)
def test_a_time_of_the_last_24_hours_is_kept_in_utc(world: World, given: str, kept: str) -> None:
    assert call(world, time=given).status_code == 202
    assert proof(world).details["submitted_at"] == kept


@each(
    "wrong",
    ["2026-11-23T12:05:01Z", "2026-11-22T11:59:59Z", "2026-11-23T12:00:00", "2026-11-23", "20261123T120000Z",
     "2026-13-23T12:00:00Z", "yesterday", "1763899200", "0001-01-01T00:00:00+23:59"],
)  # fmt: skip
def test_a_time_in_the_future_or_without_zone_is_refused(world: World, wrong: str) -> None:
    answer = call(world, time=wrong)
    assert (answer.status_code, pointers(answer)) == (422, ["/time"])


def test_everything_wrong_is_told_at_once(world: World) -> None:
    assert pointers(call(world, ip="x", page="x", time="x")) == ["/ip", "/page", "/time"]
    assert pointers(call(world, ip=1)) == ["/ip"]


def test_clients_with_a_token_are_not_limited_by_network(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app(limits=Limits(signups_per_network="20/1h"))
    with app.app_context():
        world, token = World(app, app.test_client(), clock), bearer("subscribe")
        answers = {world.sign_up(f"n{n}@example.org", headers=token).status_code for n in range(21)}
        assert answers == {202}
        assert {world.sign_up(f"m@n{n}.org").status_code for n in range(20)} == {202}
        assert world.sign_up("last@example.org").status_code == 429
