"""Whose scripts may use the API: those of the sites that a list names, and of nobody else (X-04)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.store.models import Registration
from tests.builders import ANNE, HIDDEN, LISTS, NEWS, OFFERS, Movable, World, bearer
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each

pytestmark = BY_DAY_ON_SQLITE

SITE, SHOP = "https://www.example.org", "https://shop.example.org:8443"
SIGN_UP, FORM = "/api/v1/subscriptions", f"/api/v1/lists/{NEWS}/form"
STRANGERS = [
    "https://evil.example", "null", "", "http://www.example.org", "https://www.example.org:444", "https://example.org",
    "https://www.example.org.evil.example", "https://evil.example/https://www.example.org", "HTTPS://WWW.EXAMPLE.ORG",
    "https://www.example.org/", "https://www.example.org evil", "https://sub.www.example.org", "https://wwwXexample.org",
    "https://[", "*", "file://", "http://127.0.0.1.evil.example",
]  # fmt: skip


@pytest.fixture
def sites(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """A world in which the newsletter has two sites, the offers one of them and the hidden list none."""
    news, offers, hidden = LISTS
    app = make_app(lists=(replace(news, origins=(SITE, SHOP)), replace(offers, origins=(SHOP,)), hidden))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def preflight(world: World, origin: str, path: str = SIGN_UP, **headers: str) -> TestResponse:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return world.client.options(path, headers=asked, base_url=world.base_url)


def allowed(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name.startswith("Access-Control-")}


def from_site(world: World, origin: str, slug: str = NEWS, **fields: Any) -> TestResponse:
    return world.sign_up(fields.pop("email", ANNE), slug, headers={"Origin": origin}, **fields)


@pytest.mark.parametrize("origin", [SITE, SHOP])
def test_the_preflight_of_a_listed_site_allows_what_a_sign_up_needs_and_no_more(sites: World, origin: str) -> None:
    answer = preflight(sites, origin, **{"Access-Control-Request-Headers": "content-type,authorization"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert allowed(answer) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "600",
    }


def test_the_preflight_of_a_reader_allows_reading(sites: World) -> None:
    assert allowed(preflight(sites, SITE, FORM))["Access-Control-Allow-Methods"] == "GET"


@ONE_DATABASE
@each("origin", STRANGERS)
def test_the_preflight_of_any_other_site_is_refused_without_a_word_to_the_browser(sites: World, origin: str) -> None:
    answer = preflight(sites, origin)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert allowed(answer) == {} and answer.headers["Vary"] == "Origin"


def test_a_refused_preflight_names_the_site_for_whoever_looks_for_the_reason(sites: World) -> None:
    assert "https://evil.example " in preflight(sites, "https://evil.example").get_json()["detail"]
    assert "<b>" not in preflight(sites, "https://evil.example/<b>").get_json()["detail"]


@pytest.mark.parametrize(("origin", "slug"), [(SITE, NEWS), (SHOP, NEWS), (SHOP, OFFERS)])
def test_a_script_of_a_listed_site_signs_people_up_and_reads_the_answer(sites: World, origin: str, slug: str) -> None:
    answer = from_site(sites, origin, slug)
    assert answer.status_code == 202 and answer.headers["Vary"] == "Origin"
    assert allowed(answer) == {"Access-Control-Allow-Origin": origin}
    assert len(sites.mails(ANNE)) == 1


@each(("origin", "slug"), [(SITE, OFFERS), (SHOP, HIDDEN), *((one, NEWS) for one in STRANGERS)])
def test_a_script_of_any_other_site_is_refused_and_nothing_is_stored(sites: World, origin: str, slug: str) -> None:
    answer = from_site(sites, origin, slug)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert allowed(answer) == {} and answer.headers["Vary"] == "Origin"
    assert f'"{slug}"' in answer.get_json()["detail"]
    assert sites.count(Registration) == 0 and sites.mails() == []


def test_a_script_of_a_listed_site_can_read_what_is_wrong(sites: World) -> None:
    answers = [
        from_site(sites, SITE, email="anne"),
        from_site(sites, SITE, "nowhere"),
        sites.post(SIGN_UP, data="{", content_type="application/json", headers={"Origin": SITE}),
        sites.post(SIGN_UP, data="{}", content_type="text/plain", headers={"Origin": SITE}),
    ]
    assert [one.status_code for one in answers] == [422, 404, 400, 415]
    assert {one.headers["Access-Control-Allow-Origin"] for one in answers} == {SITE}


def test_what_is_wrong_is_read_by_no_other_site(sites: World) -> None:
    for origin in STRANGERS:
        assert allowed(from_site(sites, origin, email="anne")) == {}


def test_programs_name_no_origin_and_go_on_as_ever(sites: World) -> None:
    answer = sites.sign_up(ANNE)
    assert answer.status_code == 202 and allowed(answer) == {} and answer.headers["Vary"] == "Origin"


def test_a_plain_form_is_taken_from_any_site_and_its_name_stands_in_no_mail(sites: World) -> None:
    answer = sites.post(f"/subscribe/{NEWS}", data={"email": ANNE}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 303 and allowed(answer) == {}
    assert ["evil" in str(mail) for mail in sites.mails(ANNE)] == [False]


def test_pages_of_our_own_are_always_welcome(sites: World) -> None:
    for origin in (sites.base_url, "http://127.0.0.1:8000"):
        assert from_site(sites, origin, HIDDEN).status_code == 202


@ONE_DATABASE
@each("path", ["/", f"/subscribe/{NEWS}", "/api/v1/lists", "/readyz", "/static/style.css"])
def test_nothing_else_is_open_to_other_sites(sites: World, path: str) -> None:
    with sites.get(path, headers={"Origin": SITE, **bearer("read")}) as answer:
        assert answer.status_code in (200, 503) and allowed(answer) == {}
    assert allowed(preflight(sites, SITE, path)) == {}


def test_no_answer_lets_a_browser_send_credentials(sites: World) -> None:
    answers = [preflight(sites, SITE), from_site(sites, SITE), from_site(sites, SITE, email="anne")]
    assert not any("Access-Control-Allow-Credentials" in one.headers for one in answers)


def test_every_answer_of_a_shared_route_says_that_it_depends_on_the_origin(sites: World) -> None:
    answers = [
        sites.client.put(SIGN_UP),
        sites.client.options(SIGN_UP),
        sites.sign_up("anne"),
        sites.post(SIGN_UP, data=b"x" * 70_000),
    ]
    assert [one.status_code for one in answers] == [405, 200, 422, 413]
    assert all(one.headers["Vary"] == "Origin" for one in answers)
