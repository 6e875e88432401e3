"""One more step: what makes a form suspicious, the page that follows, and the wait that needs no JavaScript."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from subscriptions.actions.gate import Need, Pass, ProofNeeded
from subscriptions.actions.subscribe import subscribe
from subscriptions.links.forms import FormTokens
from subscriptions.settings import Abuse
from subscriptions.store.models import UsedOnce
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, World, rows_of_every_table
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.work import KEYS, fields_of, make_light, solved
from tests.test_group_commit_stored import ask
from tests.test_nothing_is_left import everything

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"
FILLED = {"email": ANNE, "name": "Anne", "website": "https://example.org/"}


def send(world: World, slug: str = NEWS, **fields: str) -> TestResponse:
    return world.post(f"/subscribe/{slug}", data=fields)


def step(world: World, **fields: str) -> "MultiDict[str, str]":
    """The hidden fields of the page that a filled trap leads to."""
    page = send(world, **(FILLED | fields))
    assert page.status_code == 422
    return fields_of(page.text)


def shown(world: World) -> str:
    return fields_of(world.get(FORM).text)["t"]


# What is suspicious


def test_a_filled_trap_gets_one_more_page_and_no_false_promise(world: World) -> None:
    answer = send(world, **FILLED)
    assert (answer.status_code, answer.text.count("<button")) == (422, 1)
    assert "One more step" in answer.text and "heck your inbox" not in answer.text


@pytest.mark.parametrize(("seconds", "status"), [(0, 422), (1.999, 422), (2, 303), (3600 * 24 * 2, 303)])
def test_a_form_that_comes_back_too_fast_is_suspicious(world: World, seconds: float, status: int) -> None:
    time = shown(world)
    world.clock.forward(seconds=seconds)
    assert send(world, email=ANNE, t=time).status_code == status


@pytest.mark.parametrize("time", ["", "x", "AaIIRv4A.x", "\x00", "ä", "9" * 300])
def test_a_time_that_is_missing_or_forged_is_no_guilt(world: World, time: str) -> None:
    assert send(world, email=ANNE, t=time).status_code == 303


def test_a_time_that_we_signed_for_something_else_says_nothing(world: World) -> None:
    assert send(world, email=ANNE, t=step(world)["step"]).status_code == 303


def test_the_clocks_of_two_hosts_may_differ_a_little(world: World) -> None:
    """A form that was shown in an hour was not shown by us."""
    parts = world.parts
    for ahead, status in ((1, 422), (3600, 303)):
        world.clock.forward(seconds=ahead)
        time = parts.forms.time(world.clock.now())
        world.clock.forward(seconds=-ahead)
        assert send(world, email=ANNE, t=time).status_code == status


def test_a_form_that_came_again_with_its_errors_keeps_its_time(world: World) -> None:
    time = shown(world)
    world.clock.forward(seconds=5)
    again = send(world, email="anne@", t=time)
    assert (again.status_code, fields_of(again.text)["t"]) == (422, time)
    assert send(world, email=ANNE, t=time).status_code == 303


def test_a_form_that_came_without_a_time_comes_again_without_one(world: World) -> None:
    """It is filled already: its visitor may well press at once."""
    for time in ("", shown(world)):
        world.clock.forward(days=1)
        assert fields_of(send(world, email="anne@", t=time).text)["t"] == ""


def test_no_form_is_too_fast_where_the_operator_says_so(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(abuse=Abuse(fill_seconds=0))
    with app.app_context():
        patient = World(app, app.test_client(), world.clock)
        assert send(patient, email=ANNE, t=shown(patient)).status_code == 303
        assert send(patient, **FILLED).status_code == 422


# The page, and what it carries on


def test_nothing_of_a_person_is_stored_before_the_button_is_pressed(world: World, tmp_path: Path) -> None:
    before = rows_of_every_table()
    for address in ("traced@example.org", "traced.too@example.org"):
        send(world, **(FILLED | {"email": address, "name": "Traceable"}))
    assert rows_of_every_table() == before
    stored = everything(tmp_path)
    assert not [word for word in (b"traced", b"Traceable", b"203.0.113.7") if word in stored]


@pytest.fixture
def listed(make_app: Callable[..., Flask], world: World) -> Iterator[World]:
    """The newsletter may lead back to a site."""
    app = make_app(lists=(replace(LISTS[0], origins=("https://example.org",)), *LISTS[1:]))
    with app.app_context():
        yield World(app, app.test_client(), world.clock)


def test_the_button_signs_up_with_everything_that_was_typed(listed: World) -> None:
    world = listed
    wording = fields_of(world.get(FORM).text)["wording"]
    fields = step(world, wording=wording, locale="de", return_url="https://example.org/thanks", lang="en", t="x")
    kept = {"email": ANNE, "name": "Anne", "wording": wording, "locale": "de", "lang": "en",
            "return_url": "https://example.org/thanks"}  # fmt: skip
    assert {name: value for name, value in fields.items() if name != "step"} == kept
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields).location == "https://example.org/thanks"
    [row] = world.registrations()
    assert (row.address, row.name, row.wording_id, row.locale) == (ANNE, "Anne", wording, "de")


def test_a_field_that_is_not_ours_is_not_carried_on(world: World) -> None:
    assert not step(world, status="confirmed", id="7").keys() & {"status", "id", "website", "t"}


def test_what_was_typed_cannot_break_out_of_the_page(world: World) -> None:
    page = send(world, **(FILLED | {"name": '"><script>alert(1)</script>'}))
    assert "<script>alert" not in page.text
    assert fields_of(page.text)["name"] == '"><script>alert(1)</script>'


def test_a_form_with_mistakes_gets_its_errors_first(world: World) -> None:
    answer = send(world, **(FILLED | {"email": "anne@"}))
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)


# The wait


@pytest.mark.parametrize(("seconds", "status"), [(0, 422), (9.9, 422), (10, 303), (3599, 303), (3600, 422)])
def test_without_computing_the_button_works_after_ten_seconds_and_for_an_hour(
    world: World, seconds: float, status: int
) -> None:
    fields = step(world)
    world.clock.forward(seconds=seconds)
    assert (world.post(FORM, data=fields).status_code, len(world.registrations())) == (status, int(status == 303))


def test_whoever_presses_too_early_waits_on_from_the_first_page(world: World) -> None:
    fields = step(world)
    world.clock.forward(seconds=7)
    early = world.post(FORM, data=fields)
    assert "Please wait 3 seconds." in early.text and 'class="step wait-3"' in early.text
    assert fields_of(early.text) == fields
    world.clock.forward(seconds=3)
    assert world.post(FORM, data=fields_of(early.text)).status_code == 303


def test_a_solved_challenge_makes_the_wait_needless(world: World) -> None:
    make_light(world.parts)
    fields = step(world)
    fields["altcha"] = solved(world.parts.work.challenge())
    assert world.post(FORM, data=fields).status_code == 303


def test_a_step_is_good_once(world: World) -> None:
    fields = step(world)
    world.clock.forward(seconds=10)
    assert world.post(FORM, data=fields).status_code == 303
    again = world.post(FORM, data=fields)
    assert (again.status_code, "it has been used" in again.text) == (422, True)
    assert fields_of(again.text)["step"] != fields["step"]


def test_a_step_that_is_used_twice_at_once_is_good_once(world: World) -> None:
    now = world.clock.now()
    brings = Pass(Need.NOW, ((b"0" * 16, now),))
    asks = [ask(world, f"{name}@example.org", name.encode() * 16)._replace(brings=brings) for name in ("a", "b")]
    assert subscribe(asks, now, world.parts.policy) == [None, ProofNeeded()]
    assert [row.address for row in world.registrations()] == ["a@example.org"]


@pytest.mark.parametrize("other", [{"email": BART}, {"slug": OFFERS}])
def test_a_step_is_good_for_its_address_and_list_alone(world: World, other: dict[str, str]) -> None:
    fields: dict[str, Any] = dict(step(world))
    fields.pop("wording", None)
    world.clock.forward(seconds=10)
    assert (send(world, **(fields | other)).status_code, world.registrations()) == (422, [])


@pytest.mark.parametrize("token", ["x", "AaII.AaII", "ä", "9" * 400])
def test_a_forged_step_is_none(world: World, token: str) -> None:
    assert send(world, email=ANNE, step=token).status_code == 422
    assert world.registrations() == []


def test_a_step_survives_a_new_key_and_no_strangers(world: World) -> None:
    now, key = world.clock.now(), b"k" * 16
    mine = FormTokens(KEYS).step(now, key, [2, 1])
    assert FormTokens((b"a newer key of the tests", *KEYS)).read_step(mine, key, [1, 2])
    assert FormTokens((b"a stranger's key, of 16",)).read_step(mine, key, [1, 2]) is None


def test_a_used_step_is_forgotten_when_it_could_not_work_anyway(world: World) -> None:
    fields = step(world)
    world.clock.forward(seconds=10)
    world.post(FORM, data=fields)
    world.run("tidy")
    assert world.count(UsedOnce) == 1
    world.clock.forward(hours=1)
    world.run("tidy")
    assert world.count(UsedOnce) == 0


def test_where_nothing_computes_the_page_has_the_wait_alone(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(abuse=Abuse(proof_of_work="off"), lists=LISTS)
    with app.app_context():
        plain = World(app, app.test_client(), world.clock)
        page = send(plain, **FILLED)
        assert "Please wait 10 seconds." in page.text and "<script" not in page.text
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert plain.get("/api/v1/challenge").status_code == 404


def test_the_page_may_compute_and_nothing_else(world: World) -> None:
    policy = send(world, **FILLED).headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "script-src 'self'", "worker-src 'self'", "connect-src 'self'"):
        assert part in policy.split("; ")
    assert "unsafe" not in policy and "data:" not in policy
    assert "script-src" not in world.get(FORM).headers["Content-Security-Policy"]
