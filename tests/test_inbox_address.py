"""The address on the page after the form: sealed, for whoever sent the form, until the time to confirm is over."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from subscriptions.links.handles import SealedAddresses
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, World
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.typed import BY_OUR_PAGE, WRONG

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"
SAID = f"Open the email we send to <strong><bdi>{ANNE}</bdi></strong>."
UNSAID = "Open the email we send to the address you gave."
STATES = "We do not write to addresses that asked us not to, nor more than once in 15 minutes."


def asked(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def signed_up(world: World, address: str = ANNE, path: str = FORM) -> str:
    answer = world.post(path, data={"email": address, "lists": [NEWS, OFFERS]}, headers=BY_OUR_PAGE)
    assert answer.status_code == 303
    return answer.location


@pytest.mark.parametrize("path", [FORM, "/subscribe", f"/embed/{NEWS}/frame"])
def test_the_page_names_the_address_to_whoever_sent_the_form_and_no_url_shows_it(world: World, path: str) -> None:
    location = signed_up(world, path=path)
    assert "anne" not in location and set(asked(location)) >= {"r", "a"}
    text = world.get(location, headers=BY_OUR_PAGE).text
    assert SAID in text and "Nothing there? It can take 15 minutes." in text and STATES in text
    assert not [url for url in re.findall(r'(?:href|action|src)="([^"]*)"', text) if "anne" in url]


def test_without_what_the_redirect_said_the_page_is_the_same_for_everyone(world: World) -> None:
    mine, other = asked(signed_up(world)), asked(signed_up(world, BART))
    forged = mine["a"][:-6] + ("A" if mine["a"][-6] != "A" else "B") + mine["a"][-5:]
    for a in (None, "", "x", forged, other["a"], mine["a"] + "A", *map("A".__mul__, range(123, 128)), "\0", "é" * 60):
        shown = world.get(f"{FORM}/check-inbox?{urlencode({'r': mine['r']} | ({'a': a} if a is not None else {}))}")
        assert shown.status_code == 200 and UNSAID in shown.text and f"{ANNE}</bdi>" not in shown.text
        for path in ("code", "correct"):
            assert world.post(f"{FORM}/{path}", data={"r": mine["r"], "a": a or "", "code": WRONG}).status_code < 500
    cuts = [world.get(f"{FORM}/check-inbox?{urlencode({'r': mine['r'], 'a': mine['a'][:n]})}") for n in range(-8, 0)]
    assert [page.status_code for page in cuts if UNSAID in page.text] == [200] * 8
    alone = world.get(f"{FORM}/check-inbox?a={mine['a']}")
    assert UNSAID in alone.text and mine["a"] not in alone.text


@pytest.mark.parametrize(("age", "over"), [(86_399, False), (86_400, True), (90_000, True)])
def test_after_the_time_to_confirm_nobody_reads_the_address_and_the_page_says_so(
    world: World, age: int, over: bool
) -> None:
    location = signed_up(world)
    world.clock.forward(seconds=age)
    told = asked(location)
    text = world.get(f"{FORM}/check-inbox?{urlencode(told)}", headers=BY_OUR_PAGE).text
    assert (SAID in text) is not over and ("The time to confirm is over" in text) is over
    assert (f'value="{ANNE}"' in world.post(f"{FORM}/correct", data=told).text) is not over


def test_every_way_on_from_the_page_keeps_the_address(world: World) -> None:
    told = asked(signed_up(world))
    page = f"{FORM}/check-inbox?{urlencode({'r': told['r'], 'a': told['a']})}"
    (german,) = re.findall(r'href="([^"]+)" lang="de"', world.get(page).text)
    again = world.post(f"{FORM}/check-inbox", data=told)
    loaded_later = world.get(f"{page}&new=1")
    for location in (german.replace("&amp;", "&"), again.location, loaded_later.location):
        assert asked(location)["a"] == told["a"] and ANNE in world.get(location).text
    wrong = world.post(f"{FORM}/code", data=told | {"code": WRONG})
    assert wrong.status_code == 422 and SAID in wrong.text and wrong.text.count(f'value="{told["a"]}"') == 3


@pytest.mark.parametrize("frame", ["", f"/embed/{NEWS}/frame"])
def test_to_correct_it_brings_the_form_with_the_address_in_it(world: World, frame: str) -> None:
    shown = world.get(signed_up(world, path=frame or FORM), headers=BY_OUR_PAGE).text
    (action,) = re.findall(r'action="([^"]*/correct[^"]*)"', shown)
    r, a = (re.findall(rf'name="{name}" value="([^"]+)"', shown)[0] for name in "ra")
    form = world.post(action.replace("&amp;", "&"), data={"r": r, "a": a})
    assert form.status_code == 200 and f'value="{ANNE}"' in form.text
    assert f'action="{frame or FORM}' in form.text
    assert form.headers["Referrer-Policy"] == ("no-referrer" if frame else "same-origin")
    assert 'value=""' in world.post(f"{FORM}/correct", data={"r": r}).text


def test_to_correct_a_sign_up_for_several_lists_brings_their_choice_as_it_was(world: World) -> None:
    shown = world.get(signed_up(world, path="/subscribe"), headers=BY_OUR_PAGE).text
    (action,) = re.findall(r'action="([^"]*/correct[^"]*)"', shown)
    form = world.post(action.replace("&amp;", "&")).text
    assert form.count(" checked") == 2 and "lists=newsletter,offers" in form.replace("%2C", ",")


def test_neither_a_program_nor_the_button_of_an_old_mail_is_told_it(world: World) -> None:
    assert set(world.sign_up(ANNE).get_json()) == {"status", "list", "registration"}
    link = world.confirm_link()
    world.clock.forward(hours=24)
    assert set(asked(world.post(f"{link}/again").location)) == {"r"}


def test_a_page_of_thanks_is_not_told_it(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(lists=(replace(LISTS[0], thank_you_url="https://site.example/thanks"),))
    with app.app_context():
        thanks = World(app, app.test_client(), world.clock)
        assert signed_up(thanks) == "https://site.example/thanks"


def test_the_page_and_the_redirect_to_it_tell_no_other_site_where_they_are(world: World) -> None:
    plain = world.post(FORM, data={"email": ANNE})
    led = world.post(FORM, data={"email": BART}, headers=BY_OUR_PAGE)
    assert [one.headers["Referrer-Policy"] for one in (plain, led)] == ["no-referrer", "same-origin"]
    for answer in (plain, led, world.get(led.location, headers=BY_OUR_PAGE)):
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_sealed_address_tells_one_of_three_lengths_and_works_with_older_keys_too() -> None:
    old, both = SealedAddresses([b"o" * 32]), SealedAddresses([b"n" * 32, b"o" * 32])
    sizes = {len(old.seal("h", "x" * length)) for length in range(1, 255)}
    assert len(sizes) == 3
    assert both.open("h", old.seal("h", "änne@example.org")) == "änne@example.org"
    assert old.open("h", both.seal("h", ANNE)) is None and both.open("g", both.seal("h", ANNE)) is None
