"""Hints on the form and in JSON: offered, never applied, and never in anybody's way (A-11, A-12)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.settings import Abuse
from subscriptions.settings import Mail as MailSettings
from tests.builders import ANNE, NEWS, OFFERS, World
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.names import NameServer
from tests.support.work import A_MOMENT
from tests.test_lookup import ZONE

pytestmark = BY_DAY_ON_SQLITE

TYPED, MEANT = "anna@gmial.com", "anna@gmail.com"


@pytest.fixture
def sending(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    """A service that sends mail, with a name server of the test's own."""
    with NameServer(ZONE) as names:
        mail = MailSettings(transport="smtp", host="127.0.0.1", port=9)
        app = make_app(abuse=Abuse(nameservers=(names.address,)), mail=mail)
        with app.app_context():
            yield World(app, app.test_client(), clock)


def fields(answer: TestResponse) -> dict[str, str]:
    """What the form would send: its hidden and text fields."""
    inputs = re.findall(r"<input[^>]*>", answer.text)
    pairs = [(re.search(r'name="(\w+)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs]
    return {name[1]: value[1] if value else "" for name, value in pairs if name}


def press(world: World, sent: dict[str, Any], path: str = f"/subscribe/{NEWS}") -> TestResponse:
    """As a person would: a moment later."""
    world.clock.forward(seconds=A_MOMENT.total_seconds())
    return world.post(path, data=sent)


def stored(world: World) -> list[str | None]:
    return [one.address for one in world.registrations()]


def test_a_slip_gets_the_form_again_with_everything_kept_and_nothing_stored(world: World) -> None:
    answer = world.sign_up_by_form(TYPED, name="Anna")
    assert answer.status_code == 422 and stored(world) == []
    assert f"Did you mean {MEANT}?" in answer.text and 'aria-invalid="true"' not in answer.text
    sent = fields(answer)
    assert (sent["email"], sent["name"], sent["hint_seen"]) == (TYPED, "Anna", TYPED)
    assert f"Keep {TYPED} and subscribe" in answer.text and f"Use {MEANT} and subscribe" in answer.text


def test_pressing_again_keeps_what_was_typed(world: World) -> None:
    again = press(world, fields(world.sign_up_by_form(TYPED)))
    assert again.status_code == 303 and stored(world) == [TYPED]


def test_the_button_takes_what_was_meant(world: World) -> None:
    sent = fields(world.sign_up_by_form(TYPED, name="Anna")) | {"use": MEANT}
    assert press(world, sent).status_code == 303
    assert [(one.address, one.name) for one in world.registrations()] == [(MEANT, "Anna")]


def test_another_address_typed_meanwhile_is_not_replaced_by_the_suggestion(world: World) -> None:
    sent = fields(world.sign_up_by_form(TYPED)) | {"email": ANNE, "use": MEANT}
    assert press(world, sent).status_code == 303
    assert stored(world) == [ANNE]


def test_a_hint_that_was_seen_for_one_address_is_not_seen_for_another(world: World) -> None:
    sent = fields(world.sign_up_by_form(TYPED)) | {"email": "anna@hotmial.com"}
    assert "anna@hotmail.com" in press(world, sent).text
    assert stored(world) == []


def test_return_in_a_field_keeps_what_was_typed(world: World) -> None:
    """Browsers press the first button of the form."""
    text = world.sign_up_by_form(TYPED).text
    first = re.search(r"<button[^>]*>", text)
    assert first is not None and "name=" not in first[0]


def test_without_hints_a_slip_is_taken_as_it_is(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=Abuse(hints=False))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        assert world.sign_up_by_form(TYPED).status_code == 303
        answer = world.sign_up("bart@gmial.com").get_json()
        assert "hint" not in answer and stored(world) == [TYPED, "bart@gmial.com"]


def test_json_is_taken_and_carries_the_hint_as_a_sentence(world: World) -> None:
    answer = world.sign_up(TYPED)
    assert answer.status_code == 202 and answer.get_json()["hint"] == f"Did you mean {MEANT}?"
    assert stored(world) == [TYPED]
    assert "hint" not in world.sign_up(ANNE).get_json()


def test_json_gives_the_hint_in_the_language_that_its_address_asks_for(world: World) -> None:
    asked = {"email": TYPED, "list": NEWS}
    answer = world.post("/api/v1/subscriptions?lang=de", json=asked, headers={"Accept-Language": "fr"})
    assert answer.get_json()["hint"] == f"Meinten Sie {MEANT}?"
    answer = world.post("/api/v1/subscriptions", json=asked, headers={"Accept-Language": "fr"})
    assert answer.get_json()["hint"] == f"Did you mean {MEANT}?"


def test_the_hint_depends_on_the_address_alone_whatever_is_known_of_it(world: World) -> None:
    def answers() -> tuple[str, list[str]]:
        form = world.sign_up_by_form(TYPED)
        return form.text, sorted(world.sign_up(TYPED).get_json())

    before = answers()
    assert world.post(world.confirm_link(TYPED)).status_code == 200
    assert answers() == before


@pytest.mark.parametrize("domain", ["gone.com", "null.com"])
def test_a_domain_that_takes_no_mail_is_pointed_out_and_can_be_kept(sending: World, domain: str) -> None:
    answer = sending.sign_up_by_form(f"anna@{domain}")
    assert answer.status_code == 422 and f"No email can be delivered to {domain}." in answer.text
    assert 'name="use"' not in answer.text
    assert press(sending, fields(answer)).status_code == 303
    assert stored(sending) == [f"anna@{domain}"]


@pytest.mark.parametrize("domain", ["good.com", "a-only.com", "broken.com", "slow.com", "example.org", "gmail.com"])
def test_any_other_domain_goes_through_at_once(sending: World, domain: str) -> None:
    assert sending.sign_up_by_form(f"anna@{domain}").status_code == 303


def test_json_tells_of_a_domain_that_takes_no_mail(sending: World) -> None:
    assert sending.sign_up("anna@null.com").get_json()["hint"].startswith("No email can be delivered to null.com.")


def test_in_try_out_mode_nobody_is_asked_about_a_domain(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    with NameServer(ZONE) as names:
        app = make_app(abuse=Abuse(nameservers=(names.address,)))
        with app.app_context():
            assert World(app, app.test_client(), clock).sign_up_by_form("anna@gone.com").status_code == 303
        assert names.asked == []


def test_a_mistake_comes_before_a_hint(world: World) -> None:
    answer = world.sign_up_by_form(TYPED, name="x" * 101)
    assert "error-name-newsletter" in answer.text and "Did you mean" not in answer.text


def test_a_form_of_several_lists_gets_the_hint_with_its_choices_kept(world: World) -> None:
    sent = {"email": TYPED, "lists": [NEWS, OFFERS]}
    answer = world.post("/subscribe", data=sent)
    assert answer.status_code == 422 and f"Did you mean {MEANT}?" in answer.text
    assert answer.text.count(" checked") == 2 and stored(world) == []
    assert press(world, sent | {"hint_seen": TYPED, "use": MEANT}, "/subscribe").status_code == 303
    assert stored(world) == [MEANT, MEANT]


def test_a_program_that_asks_is_asked_back_before_anything_is_stored(world: World) -> None:
    """As the form: the question, the texts of both buttons, and the same once more without `ask`."""
    path, sent = "/api/v1/subscriptions", {"email": TYPED}
    asked = world.post(f"{path}?ask=1&lang=de", json=sent)
    assert asked.status_code == 422 and stored(world) == [] and "Access-Control-Allow-Origin" not in asked.headers
    assert asked.get_json()["look"] == {
        "text": f"Meinten Sie {MEANT}?", "keep": f"{TYPED} behalten und abonnieren", "suggestion": MEANT,
        "use": f"{MEANT} verwenden und abonnieren",
    }  # fmt: skip
    assert world.post(f"{path}?ask=1", json=sent).get_json()["look"]["text"] == f"Did you mean {MEANT}?"
    assert world.post(f"{path}?ask=1", json={"email": ANNE}).status_code == 202
    assert world.post(path, json=sent).status_code == 202 and stored(world) == [ANNE, TYPED]


def test_a_program_that_asks_is_asked_back_about_a_domain_without_mail(sending: World) -> None:
    answer = sending.post("/api/v1/subscriptions?ask=1", json={"email": "anne@null.com"})
    assert answer.status_code == 422 and set(answer.get_json()["look"]) == {"text", "keep"}
