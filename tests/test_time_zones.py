"""What people read stands in the time of their list, which it names; evidence stays in UTC."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from tzlocal import unix

from subscriptions import clock as clocks
from subscriptions.languages import words
from subscriptions.mail import before_0_4
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Movable, World, at, link_in, text_of
from tests.controllers import TWO_CONTROLLERS
from tests.preferences import Page
from tests.several import ask
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
WINTER = datetime(2026, 11, 29, 17, 48, 31, tzinfo=UTC)


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=TWO_CONTROLLERS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


@each(
    ("zone", "tag", "read"),
    [
        ("Europe/Berlin", "en", "29 November 2026, 18:48 (CET)"),
        ("Europe/Berlin", "de", "29. November 2026, 18:48 (MEZ)"),
        ("Europe/Berlin", "fr", "29 novembre 2026, 18:48 (CET)"),
        ("Europe/Berlin", "es", "29 de noviembre de 2026, 18:48 (CET)"),
        ("America/New_York", "en", "29 November 2026, 12:48 (EST)"),
        ("Asia/Kathmandu", "en", "29 November 2026, 23:33 (UTC+05:45)"),
        ("America/Sao_Paulo", "de", "29. November 2026, 14:48 (UTC-03:00)"),
        ("Etc/UTC", "fr", "29 novembre 2026, 17:48 (UTC)"),
    ],
)
def test_a_time_is_told_in_a_zone_by_the_name_that_its_readers_know(zone: str, tag: str, read: str) -> None:
    assert words(WINTER, tag, clocks.zone_of(zone)) == read


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    hours = [
        words(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), "en", clocks.zone_of("Europe/Berlin")) for hour in (0, 1)
    ]
    assert hours == ["25 October 2026, 02:30 (CEST)", "25 October 2026, 02:30 (CET)"]


def test_a_day_is_24_hours_also_when_the_clocks_change_and_each_time_names_its_own(world: World) -> None:
    at(world, "2027-03-27T12:00:00")
    for address in (ANNE, BART):
        world.sign_up(address, NEWS)
    world.deliver()
    text = " ".join(text_of(world.mails(ANNE)[0]).split())
    assert "Time: 27 March 2027, 13:00 (CET)" in text and "before 28 March 2027, 14:00 (CEST)." in text
    link, late = (link_in(world.mails(address)[0], "confirm") for address in (ANNE, BART))
    at(world, "2027-03-28T11:59:59")
    assert '<time datetime="2027-03-28T12:00:00Z">28 March 2027, 14:00 (CEST)</time>' in world.get(link).text
    assert world.post(link).status_code == 200
    world.clock.forward(seconds=1)
    assert world.post(late).status_code == 410


@each(
    ("day", "said"), [(1, "1er janvier"), (2, "2 janvier"), (11, "11 janvier"), (21, "21 janvier"), (31, "31 janvier")]
)
def test_french_calls_the_first_of_a_month_so_and_no_other_day(day: int, said: str) -> None:
    assert words(datetime(2030, 1, day, tzinfo=UTC), "fr") == f"{said} 2030, 00:00 (UTC)"


def test_a_mail_of_lists_in_several_zones_tells_that_of_the_first(world: World) -> None:
    for address, slugs, requested in (
        (ANNE, [NEWS], "13:00 (CET)"), (BART, [OFFERS], "07:00 (EST)"), (CRIS, [OFFERS, NEWS], "13:00 (CET)"),
    ):  # fmt: skip
        ask(world, *slugs, address=address)
        assert f"Time: 23 November 2026, {requested}" in text_of(world.mails(address)[-1])
    mailed = [event.details for event in world.evidence() if event.fact == "mailed"]
    assert mailed[0]["values"]["registered_at"] == "23 November 2026, 13:00 (CET)"  # as it was read
    assert mailed[0]["date"] == "Mon, 23 Nov 2026 12:00:00 +0000"


def zones(page: str) -> set[str]:
    """Those that its times name."""
    return {found for told in re.findall(r"<time [^>]*>(.*?)</time>", page) for found in re.findall(r"\((.+)\)", told)}


def test_pages_tell_the_time_of_their_list_and_machines_the_exact_one(world: World) -> None:
    inbox = world.get(world.sign_up_by_form(ANNE, OFFERS).location).text
    assert '<time datetime="2026-11-24T12:00:00Z">24 November 2026, 07:00 (EST)</time>' in inbox
    world.post(world.confirm_link(ANNE))
    world.clock.forward(minutes=15)
    page = Page.of(world, ANNE)
    assert 'Since <time datetime="2026-11-23T12:00:00Z">23 November 2026, 07:00 (EST)</time>' in page.opened.text
    assert zones(page.opened.text) == {"EST"}
    assert "email to confirm Newsletter" in page.join(NEWS)
    page.act("leave", list=OFFERS)
    told = page.join(OFFERS)
    assert 'for Offers on <time datetime="2026-11-23T12:30:00Z">23 November 2026, 13:30 (CET)</time>' in told
    assert zones(told + page.act("show").text) == {"CET"}  # one page, one zone: of the newest list
    german = world.post("/preferences/my/show?lang=de", data={"session": page.session}).text
    assert "24. November 2026, 13:15 (MEZ)" in german and zones(german) == {"MEZ"}
    assert '<time datetime="' in world.get("/mailbox/", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text


@pytest.mark.parametrize(
    ("named", "known"), [("Europe/Paris", "Europe/Paris"), ("Nowhere/Else", "UTC"), ("CET-1CEST", "UTC")]
)
def test_a_list_without_a_zone_has_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, named: str, known: str) -> None:
    monkeypatch.setenv("TZ", named)
    monkeypatch.setattr(unix, "_cache_tz_name", None)  # it is looked up once for a process
    assert clocks.machine_zone().removeprefix("Etc/") == known


def test_mails_of_before_are_made_again_with_the_times_that_they_had() -> None:
    assert before_0_4._words(WINTER, "en") == "29 November 2026, 17:48 UTC"
    assert before_0_4._words(WINTER, "pt-BR") == "29 de novembro de 2026, 17:48 UTC"
