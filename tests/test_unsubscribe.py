"""Leaving: one press, in every shape in which browsers and mail programs press (RFC 8058)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from subscriptions.settings import Server
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World, rows_of_every_table
from tests.support.cases import BY_DAY_ON_SQLITE, crossed

pytestmark = BY_DAY_ON_SQLITE

ONE_CLICK = "List-Unsubscribe=One-Click"
URLENCODED = {"data": ONE_CLICK, "content_type": "application/x-www-form-urlencoded"}
MULTIPART = {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"}
SHAPES: dict[str, dict[str, Any]] = {
    "urlencoded": URLENCODED,
    "urlencoded with a charset": URLENCODED | {"content_type": "application/x-www-form-urlencoded; charset=UTF-8"},
    "multipart": MULTIPART,
    "the button": {},
    "no content type": {"data": ONE_CLICK},
    "Origin null": URLENCODED | {"headers": {"Origin": "null", "Sec-Fetch-Site": "cross-site"}},
    "another Origin": URLENCODED
    | {"headers": {"Origin": "https://mail.example.org", "Referer": "https://example.org/"}},
    "an old cookie": URLENCODED | {"headers": {"Cookie": "session=x"}},
    "a JSON body": {"data": "{}", "content_type": "application/json"},
    "no body": {"data": b""},
    "no body, as a form": {"data": b"", "content_type": "application/x-www-form-urlencoded"},
    "a line end behind it": URLENCODED | {"data": f"{ONE_CLICK}\r\n"},
    "another case": URLENCODED | {"data": ONE_CLICK.lower()},
    "a text body": {"data": ONE_CLICK, "content_type": "text/plain"},
    "in chunks": URLENCODED | {"headers": {"Transfer-Encoding": "chunked"}},
    "with the marker of our page": URLENCODED | {"data": f"{ONE_CLICK}&by=page"},
    "the marker in JSON": {"data": '{"by": "page"}', "content_type": "application/json"},
    "the marker in the address": {"data": b"", "query_string": {"by": "page"}},
    "a broken body": {"data": b"--x\r\n\xff", "content_type": "multipart/form-data; boundary=x"},
}


def states(world: World) -> list[str]:
    return [one.state for one in world.subscriptions()]


@crossed(shape=SHAPES, end=["", "/"])
def test_every_shape_of_a_press_ends_the_subscription_without_a_redirect(world: World, shape: str, end: str) -> None:
    world.subscribe(BART)
    answer = world.post(world.leave_link(BART) + end, **SHAPES[shape])
    assert (answer.status_code, states(world)) == (200, ["unsubscribed"])
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("shape", SHAPES)
def test_the_evidence_names_time_and_channel_and_what_came(world: World, shape: str) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART), **SHAPES[shape])
    last, is_page = world.evidence()[-1], shape == "the button"
    channel, said = ("button", "the form of the") if is_page else ("one-click", "one-click of the mail program")
    assert (last.fact, last.channel, last.at, last.ip) == ("unsubscribed", channel, world.clock.now(), None)
    assert last.details["reason"].startswith(said)


def test_a_body_of_a_size_that_no_form_has_is_refused_and_changes_nothing(world: World) -> None:
    world.subscribe(BART)
    before = rows_of_every_table()
    answer = world.post(world.leave_link(BART), **URLENCODED | {"data": f"{ONE_CLICK}&x={'x' * 5_000_000}"})
    assert (answer.status_code, states(world), rows_of_every_table()) == (413, ["confirmed"], before)


def test_one_link_ends_one_list_of_one_person(world: World) -> None:
    for address, slug in ((ANNE, NEWS), (BART, NEWS), (BART, OFFERS)):
        world.subscribe(address, slug)
    world.post(world.leave_link(BART, NEWS), **URLENCODED)
    assert states(world) == ["confirmed", "unsubscribed", "confirmed"]


def test_looking_at_the_link_changes_nothing_and_shows_one_button(world: World) -> None:
    world.subscribe(BART)
    before, link = rows_of_every_table(), world.leave_link(BART)
    for _ in range(20):
        assert (world.get(link).status_code, world.client.head(link).status_code) == (200, 200)
    assert (rows_of_every_table(), states(world)) == (before, ["confirmed"])
    assert world.get(link).text.count("<button") == 1


def test_a_press_with_the_parameters_in_the_address_is_a_press_too(world: World) -> None:
    world.subscribe(BART)
    assert world.post(f"{world.leave_link(BART)}?{ONE_CLICK}").status_code == 200
    assert states(world) == ["unsubscribed"]


def test_a_second_press_keeps_the_first_time(world: World) -> None:
    world.subscribe(BART)
    world.post(world.leave_link(BART), **URLENCODED)
    ended, facts = world.subscriptions()[0].ended_at, len(world.evidence())
    world.clock.forward(days=1)
    assert world.post(world.leave_link(BART), **URLENCODED).status_code == 200
    assert (world.subscriptions()[0].ended_at, len(world.evidence())) == (ended, facts)


def test_the_effect_is_immediate(world: World) -> None:
    world.subscribe(BART)
    assert Office(world).exported(NEWS) == [BART]
    world.post(world.leave_link(BART), **URLENCODED)
    assert Office(world).exported(NEWS) == []


def test_who_was_never_there_gets_the_same_answer(world: World) -> None:
    world.subscribe(BART)
    pages = [world.post(world.leave_link(address), **URLENCODED) for address in (CRIS, BART, BART)]
    assert len({(page.status_code, page.data) for page in pages}) == 1


def test_a_press_leaves_nothing_of_a_stranger(world: World) -> None:
    before = rows_of_every_table()
    world.post(world.leave_link(CRIS), **URLENCODED)
    assert rows_of_every_table() == before


def test_the_link_works_for_every_subscription_also_after_a_purge(world: World) -> None:
    link = world.leave_link(BART)
    world.subscribe(BART)
    world.post(link)
    world.clock.forward(days=4 * 366)
    world.run("purge")
    assert world.subscriptions() == [] and world.post(link).status_code == 200
    world.subscribe(BART)
    assert (world.post(link, **URLENCODED).status_code, states(world)) == (200, ["unsubscribed"])


def test_the_link_works_after_four_hundred_days(world: World) -> None:
    world.subscribe(BART)
    link = world.leave_link(BART)
    world.clock.forward(days=400)
    assert (world.get(link).status_code, world.post(link).status_code, states(world)) == (200, 200, ["unsubscribed"])


def test_the_link_survives_a_rotation_of_the_keys(world: World, make_app: Callable[..., Flask]) -> None:
    world.subscribe(BART)
    server = world.parts.settings.server
    keys = ("a newer secret key of the tests", *server.secret_keys)
    rotated = make_app(server=Server(data_dir=server.data_dir, pepper=server.pepper, secret_keys=keys))
    with rotated.app_context():
        after = World(rotated, rotated.test_client(), world.clock)
        assert after.leave_link(BART) != world.leave_link(BART)
        assert after.post(world.leave_link(BART), **URLENCODED).status_code == 200
    assert states(world) == ["unsubscribed"]


def test_the_link_outlives_its_list(world: World, make_app: Callable[..., Flask]) -> None:
    world.subscribe(BART, OFFERS)
    link = world.leave_link(BART, OFFERS)
    fewer = make_app(lists=tuple(one for one in world.parts.settings.lists if one.slug != OFFERS))
    with fewer.app_context():
        after = World(fewer, fewer.test_client(), world.clock)
        assert (after.get(link).status_code, after.post(link).status_code) == (200, 200)
    assert states(world) == ["unsubscribed"]


def test_any_spelling_of_the_address_has_the_same_link(world: World) -> None:
    assert world.leave_link("Bart@EXAMPLE.org") == world.leave_link(BART)


def test_the_link_names_nobody(world: World) -> None:
    link = world.leave_link(BART)
    assert "@" not in link and "%40" not in link and "bart" not in link.lower()


def test_a_link_with_one_wrong_character_is_not_found(world: World) -> None:
    world.subscribe(BART)
    base, _, token = world.leave_link(BART).rpartition("/")
    forged = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(0, 70, 7)]
    found = [one for one in forged for ask in (world.get, world.post) if ask(f"{base}/{one}").status_code != 404]
    assert found == []
    assert states(world) == ["confirmed"]


def test_a_link_for_another_purpose_is_not_found(world: World) -> None:
    world.sign_up(ANNE)
    tokens = [link.rpartition("/")[2] for link in (world.confirm_link(), world.not_me_link(), world.leave_link(ANNE))]
    statuses = [
        [world.get(f"/{page}/{one}").status_code for one in tokens] for page in ("confirm", "not-me", "unsubscribe")
    ]
    assert statuses == [[200, 404, 404], [404, 200, 404], [404, 404, 200]]


def test_the_mails_of_a_subscription_carry_the_header_pair(world: World) -> None:
    world.subscribe(BART, OFFERS)
    welcome = world.mails(BART)[-1]
    assert welcome["List-Unsubscribe"] == f"<{world.leave_link(BART, OFFERS)}>"
    assert welcome["List-Unsubscribe-Post"] == ONE_CLICK
