"""The JSON API for programs: tokens, lists, subscriptions page by page, and problems that say what is wrong."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from subscriptions.store import tokens
from subscriptions.store.engine import transaction
from tests.builders import ANNE, BART, CRIS, HIDDEN, NEWS, OFFERS, World, bearer
from tests.support.cases import ONE_DATABASE, each

API = "/api/v1"
LISTED = f"{API}/lists/{NEWS}/subscriptions"
GUARDED = {f"{API}/lists": "read", LISTED: "read", f"{API}/lists/{NEWS}/export": "export"}
SCOPES = ("subscribe", "read", "export", "manage")
EACH_GUARDED = each("path", GUARDED)


def read(world: World, path: str, **headers: str) -> TestResponse:
    return world.get(path, headers=bearer("read") | headers)


def some(world: World, count: int) -> list[str]:
    """That many subscribers of the newsletter, in order."""
    names = [f"a{number}@example.org" for number in range(count)]
    for name in names:
        world.subscribe(name)
    return names


@EACH_GUARDED
@each("value", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic dGVzdDp0ZXN0", "Bearer \xff", "token x"])
def test_without_a_good_token_the_answer_is_401(world: World, path: str, value: str | None) -> None:
    answer = world.get(path, headers={} if value is None else {"Authorization": value})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@EACH_GUARDED
@each("scope", SCOPES)
def test_a_token_opens_the_routes_of_its_scope_alone(world: World, path: str, scope: str) -> None:
    assert world.get(path, headers=bearer(scope)).status_code == (200 if GUARDED[path] == scope else 403)


@pytest.mark.parametrize(("scope", "status"), [("subscribe", 202), ("read", 403), ("export", 403), ("manage", 403)])
def test_a_client_with_a_token_signs_up_in_its_own_name(world: World, scope: str, status: int) -> None:
    assert world.sign_up(ANNE, headers=bearer(scope)).status_code == status
    assert len(world.registrations()) == (status == 202)
    assert all(one.actor for one in world.evidence())


def test_a_wrong_token_is_no_anonymous_sign_up(world: World) -> None:
    assert world.sign_up(ANNE, headers={"Authorization": "Bearer x"}).status_code == 401
    assert world.registrations() == []


def test_a_revoked_token_is_no_token(world: World) -> None:
    header = bearer("read")
    with transaction() as session:
        [one] = tokens.all_of(session)
        tokens.revoke(session, one.name, world.clock.now())
    assert world.get(LISTED, headers=header).status_code == 401


def test_the_scheme_of_a_token_is_written_in_any_case(world: World) -> None:
    secret = bearer("read")["Authorization"].partition(" ")[2]
    assert [
        world.get(LISTED, headers={"Authorization": f"{word} {secret}"}).status_code for word in ("bearer", "BEARER")
    ] == [200, 200]


def test_no_token_is_taken_from_the_address(world: World) -> None:
    secret = bearer("read")["Authorization"].partition(" ")[2]
    assert world.get(f"{LISTED}?access_token={secret}&token={secret}").status_code == 401


def test_the_lists_are_counted_by_state(world: World) -> None:
    some(world, 2)
    world.post(world.leave_link("a0@example.org"))
    world.sign_up(BART)
    world.clock.forward(hours=24)
    world.sign_up(CRIS)
    lists = {one.pop("list"): one for one in read(world, f"{API}/lists").get_json()["lists"]}
    assert list(lists) == [NEWS, OFFERS, HIDDEN]
    assert lists[NEWS] == {
        "name": "Newsletter", "pending": 1, "blocked": 1, "confirmed": 1, "unsubscribed": 1, "bounced": 0,
    }  # fmt: skip


def test_a_subscription_is_shown_with_its_times_in_utc(world: World) -> None:
    world.sign_up(ANNE, name="Anne", locale="de")
    link = world.confirm_link(ANNE)
    world.clock.forward(minutes=1)
    world.post(link)
    world.clock.forward(minutes=1)
    world.post(world.leave_link(ANNE))
    assert read(world, LISTED).get_json() == {
        "subscriptions": [{
            "email": ANNE, "name": "Anne", "locale": "de", "status": "unsubscribed",
            "registered_at": "2026-11-23T12:00:00Z", "confirmed_at": "2026-11-23T12:01:00Z",
            "ended_at": "2026-11-23T12:02:00Z",
        }],
        "next": None,
    }  # fmt: skip


def test_a_registration_is_never_shown(world: World) -> None:
    world.sign_up(ANNE)
    assert read(world, LISTED).get_json()["subscriptions"] == []
    world.clock.forward(hours=24)
    world.block()
    assert read(world, LISTED).get_json()["subscriptions"] == []


def walk(world: World, path: str, between: Any = lambda: None) -> list[str]:
    """Follow `Link: rel=next` to the end."""
    found, header = [], bearer("read")
    while path:
        page = world.get(path, headers=header)
        found += [one["email"] for one in page.get_json()["subscriptions"]]
        link = re.fullmatch(r'<([^>]+)>; rel="next"', page.headers.get("Link", ""))
        assert (link is None) == (page.get_json()["next"] is None)
        path = link[1] if link else ""
        between()
    return found


def test_following_the_links_meets_everybody_once(world: World) -> None:
    names, limits = some(world, 4), [1, 2, 3, 4, 5, 1000]
    assert {limit: walk(world, f"{LISTED}?limit={limit}") for limit in limits} == dict.fromkeys(limits, names)


def test_paging_is_stable_while_people_come_and_go(world: World) -> None:
    names = some(world, 4)
    fresh = iter(f"new{number}@example.org" for number in range(3))

    def change() -> None:
        world.post(world.leave_link(names[0]))
        name = next(fresh, None)
        if name:
            world.subscribe(name)

    assert walk(world, f"{LISTED}?limit=2", change)[:4] == names


def test_the_cursor_in_the_body_leads_where_the_link_leads(world: World) -> None:
    some(world, 3)
    page = read(world, f"{LISTED}?limit=1")
    assert page.get_json()["next"] in page.headers["Link"]
    assert ANNE not in page.get_json()["next"]
    by_cursor = read(world, f"{LISTED}?limit=1&cursor={page.get_json()['next']}").get_json()
    assert by_cursor["subscriptions"][0]["email"] == "a1@example.org"


GARBAGE = (
    "x",
    "0",
    "-1",
    "1",
    "czE",
    "czE=",
    "cy0x",
    "c%00",
    "%ff",
    "czk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "s1",
    "=" * 99,
    "ü",
    "a" * 5000,
)


@each("cursor", GARBAGE)
def test_a_cursor_is_one_of_ours_or_refused(world: World, cursor: str) -> None:
    answer = read(world, f"{LISTED}?cursor={cursor}")
    expected = 200 if cursor == "czE" else 422
    assert answer.status_code == expected
    assert expected == 200 or [one["pointer"] for one in answer.get_json(force=True)["errors"]] == ["/cursor"]


@each("limit", ["0", "-1", "1001", "x", "", "1.5", "²", "１", "99999999999999999999", " 5", "0x10", "1e2"])
def test_a_limit_is_a_whole_number_from_1_to_1000(world: World, limit: str) -> None:
    answer = read(world, f"{LISTED}?limit={limit}")
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["pointer"]) == (422, "/limit")


@pytest.mark.parametrize("path", ["subscriptions", "export"])
def test_an_unknown_list_is_not_found(world: World, path: str) -> None:
    header = bearer("read" if path == "subscriptions" else "export")
    for slug in ("nope", "Newsletter", "%00", ".."):
        assert world.get(f"{API}/lists/{slug}/{path}", headers=header).status_code == 404


WRONG = (
    ("GET", f"{API}/nope", 404), ("GET", "/api/", 404), ("GET", f"{API}/subscriptions", 405),
    ("PUT", f"{API}/lists", 405),
    ("DELETE", f"{API}/subscriptions", 405), ("TRACE", f"{API}/lists", 405), ("POST", f"{API}/openapi.json", 405),
    ("GET", f"{API}/lists", 401), ("POST", f"{API}/subscriptions", 415), ("PATCH", LISTED, 405),
)  # fmt: skip


@ONE_DATABASE
@each(("method", "path", "status"), WRONG)
def test_every_error_under_api_is_a_problem_with_its_real_status(
    world: World, method: str, path: str, status: int
) -> None:
    answer = world.client.open(path, method=method)
    body = answer.get_json(force=True)
    assert (answer.status_code, body["status"], answer.mimetype) == (status, status, "application/problem+json")
    assert body["type"] and body["title"] and body["detail"]
    assert body["instance"].endswith(answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("path", "allowed"), [(f"{API}/subscriptions", {"POST", "OPTIONS"}), (LISTED, {"GET", "HEAD", "OPTIONS"})]
)
def test_a_wrong_method_is_told_the_right_ones(world: World, path: str, allowed: set[str]) -> None:
    for method in ("PUT", "OPTIONS"):
        assert set(world.client.open(path, method=method).headers["Allow"].split(", ")) == allowed


def test_an_unknown_host_gets_a_problem_too(world: World) -> None:
    answer = world.client.get(f"{API}/lists", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_no_answer_of_the_api_leads_elsewhere(world: World) -> None:
    some(world, 2)
    link = read(world, f"{LISTED}?limit=1").headers["Link"].partition(">")[0].removeprefix("<")
    assert (urlsplit(link).netloc, urlsplit(link).path) in (("", LISTED), (urlsplit(world.base_url).netloc, LISTED))
