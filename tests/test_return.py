"""Where forms lead: to pages on the sites that a list names, and nowhere else, ever (X-03)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from flask import Flask

from subscriptions.domain.sites import origin_of
from subscriptions.store.models import Registration
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, Movable, World
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

SITE = "https://www.example.org"
THANKS, WELCOME = f"{SITE}/thanks?from=form", f"{SITE}/welcome"
FORM = f"/subscribe/{NEWS}"
BYPASSES = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/thanks",
    "thanks", "https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example",
    "https://www.example.org@evil.example/", "https://www.example.org:pw@evil.example/", "https://www.example.org%40evil.example/",
    "https://www.example.org.evil.example/", "https://evil.example/https://www.example.org/", "https://evilwww.example.org/",
    "https://example.org/", "https://sub.www.example.org/", "https://www.example.org:444/", "https://www.example.org:0/",
    "http://www.example.org/", "HTTPS://evil.example/", "javascript:alert(1)", "JaVaScRiPt:alert(1)//https://www.example.org",
    "data:text/html,hello", "vbscript:x", "file:///etc/passwd", "ftp://www.example.org/", "wss://www.example.org/",
    "blob:https://www.example.org/x", "https://www.example.org\\.evil.example/", "https://www.example.org\\@evil.example/",
    "https://evil.example\\@www.example.org/", " https://www.example.org/", "https://www.example.org/ ",
    "https://www.exa\tmple.org/", "java\nscript:alert(1)", "https://www.example.org/\r\nSet-Cookie: a=b",
    "https://www.example.org/\0", "https://ｗｗｗ.example.org/", "https://www.example.org。evil.example/", "https://www。example。org/",
    "https://evil.example#https://www.example.org/", "https://evil.example?https://www.example.org/", "https://www.example.org./",
    "https://[www.example.org]/", "https://www.example.org:443:443/", "https://www.example.org:٤٤٣/", "https://[::1",
    "https://www.example.org/" + "x" * 2000,
]  # fmt: skip
GOOD = [f"{SITE}/", SITE, THANKS, f"{SITE}:443/a/b#c", f"{SITE}/a?b=https://evil.example", f"{SITE}//x"]


@pytest.fixture
def sites(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    """The newsletter has a site with pages of its own for both steps; the offers only have the site."""
    news, offers, hidden = LISTS
    led = replace(news, origins=(SITE,), thank_you_url=THANKS, confirmed_url=WELCOME)
    app = make_app(lists=(led, replace(offers, origins=(SITE, "http://127.0.0.1:9000")), hidden))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def form_action(world: World, url: str) -> str:
    policy = world.get(url).headers["Content-Security-Policy"]
    return next(part.strip() for part in policy.split(";") if part.strip().startswith("form-action"))


def test_the_form_leads_to_the_page_that_the_list_names_and_tells_it_nothing(sites: World) -> None:
    answer = sites.sign_up_by_form(ANNE)
    assert (answer.status_code, answer.location) == (303, THANKS)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert len(sites.mails(ANNE)) == 1


def test_where_the_list_names_none_the_form_leads_to_our_page(sites: World) -> None:
    assert sites.sign_up_by_form(ANNE, OFFERS).location.startswith(f"/subscribe/{OFFERS}/check-inbox?r=")


@pytest.mark.parametrize("url", GOOD)
def test_a_form_may_name_a_page_on_a_site_of_the_list(sites: World, url: str) -> None:
    answer = sites.sign_up_by_form(ANNE, return_url=url)
    assert (answer.status_code, answer.location) == (303, url)


@each("url", BYPASSES)
def test_a_form_can_name_no_other_page(sites: World, url: str) -> None:
    answer = sites.sign_up_by_form(ANNE, return_url=url)
    assert answer.status_code == 422 and "Location" not in answer.headers
    assert "return_url" not in answer.text and "evil" not in answer.headers["Content-Security-Policy"]
    assert "tell the people who run that website" in answer.text
    assert sites.count(Registration) == 0


def test_there_are_more_than_enough_ways_round_to_be_tried() -> None:
    assert len(set(BYPASSES)) >= 25 and not any(origin_of(url) == SITE and len(url) < 2000 for url in BYPASSES)


def test_of_two_pages_to_return_to_none_may_be_a_strangers(sites: World) -> None:
    answer = sites.post(FORM, data={"email": ANNE, "return_url": [f"{SITE}/", "https://evil.example/"]})
    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["check-inbox", "check%2Dinbox", "%63heck-inbox", "../newsletter/check-inbox"])
def test_a_form_cannot_lead_to_the_page_of_somebody_elses_sign_up(sites: World, path: str) -> None:
    """Where the list names our own host as a site, our own form would lead there, and that page would vouch."""
    news = sites.parts.catalogue.by_slug(NEWS)
    assert news
    news.origins = (*news.origins, sites.base_url)
    url = f"{sites.base_url}/subscribe/newsletter/{path}?r=x&new=1"
    assert url not in sites.get(f"{FORM}?return_url={quote(url)}").text
    assert sites.sign_up_by_form(ANNE, return_url=url).status_code == 422
    assert sites.sign_up_by_form(ANNE, return_url=f"{sites.base_url}/thanks").location == f"{sites.base_url}/thanks"
    assert sites.sign_up_by_form(ANNE, return_url=f"{SITE}/check-inbox").location == f"{SITE}/check-inbox"


def test_a_form_with_a_mistake_still_knows_where_to_return_to(sites: World) -> None:
    answer = sites.sign_up_by_form("anne@", OFFERS, return_url=f"{SITE}/back")
    assert f'<input type="hidden" name="return_url" value="{SITE}/back">' in answer.text
    assert f"form-action 'self' {SITE};" in answer.headers["Content-Security-Policy"]


def test_a_form_of_several_lists_returns_to_a_site_of_all_of_them(sites: World) -> None:
    def send(url: str) -> tuple[int, str | None]:
        answer = sites.post("/subscribe", data={"email": ANNE, "lists": [NEWS, OFFERS], "return_url": url})
        return answer.status_code, answer.location

    assert send("http://127.0.0.1:9000/") == (422, None)
    assert send(f"{SITE}/both") == (303, f"{SITE}/both")


def test_a_form_of_several_lists_of_which_none_is_chosen_names_no_strangers_page(sites: World) -> None:
    answer = sites.post("/subscribe", data={"email": ANNE, "return_url": "https://evil.example/"})
    assert answer.status_code == 422
    assert "evil" not in answer.text and "evil" not in answer.headers["Content-Security-Policy"]
    answer = sites.post("/subscribe", data={"email": ANNE, "return_url": f"{SITE}/both"})
    assert f'<input type="hidden" name="return_url" value="{SITE}/both">' in answer.text


def test_the_button_leads_to_the_page_that_the_list_names(sites: World) -> None:
    sites.sign_up(ANNE)
    link = sites.confirm_link(ANNE)
    for _ in range(2):
        answer = sites.post(link)
        assert (answer.status_code, answer.location) == (303, WELCOME)
    assert [one.address for one in sites.subscriptions()] == [ANNE]


def test_a_link_that_is_too_late_leads_nowhere(sites: World) -> None:
    sites.sign_up(BART)
    link = sites.confirm_link(BART)
    sites.clock.forward(hours=24)
    assert sites.post(link).status_code == 410


def test_a_fresh_mail_is_told_of_on_our_own_page(sites: World) -> None:
    sites.sign_up(BART)
    link = sites.confirm_link(BART)
    sites.clock.forward(hours=24)
    again = sites.post(f"{link}/again", data={"return_url": f"{SITE}/back"})
    assert again.location.startswith(f"{FORM}/check-inbox?r=")


def test_only_pages_whose_forms_lead_away_are_allowed_to(sites: World) -> None:
    sites.sign_up(ANNE)
    assert form_action(sites, FORM) == form_action(sites, sites.confirm_link(ANNE)) == f"form-action 'self' {SITE}"
    assert form_action(sites, f"/subscribe/{OFFERS}") == "form-action 'self'"
    assert form_action(sites, sites.not_me_link(ANNE)) == "form-action 'self'"
