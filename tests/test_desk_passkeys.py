"""Passkeys at the desk: what a browser's answer must prove, once, for whom and where."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.roles import Role
from subscriptions.parts import current_parts
from subscriptions.settings import Admin
from tests.builders import World, take_database_away
from tests.conftest import ManualClock
from tests.desk import OLA, PASSWORD, Person, at_the_desk, second_factor
from tests.support.authenticator import Authenticator, asked_for
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_commands import run

pytestmark = BY_DAY_ON_SQLITE
HOME = "https://news.example.org"
KEYS = "/admin/account/passkeys"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    """A service with a name and TLS, as browsers want it for passkeys."""
    app = make_app(server=replace(current_parts(make_app()).settings.server, base_url=HOME))
    with app.app_context():
        yield World(app, app.test_client(), clock)


@pytest.fixture
def ola(world: World) -> Person:
    return at_the_desk(world, email=OLA)


def add(person: Person, key: Authenticator, name: str = "My laptop") -> str:
    return person.post(KEYS, name=name, credential=key.make(asked_for(person.get(KEYS).text))).text


@pytest.fixture
def key(ola: Person) -> Authenticator:
    made = Authenticator(HOME)
    assert "sign in with this passkey" in add(ola, made)
    return made


def sign_in(person: Person, credential: str) -> int:
    return person.post("/admin/passkey", credential=credential, csrf=None).status_code


def page(world: World) -> str:
    return Person(world).get("/admin/sign-in").text


def test_a_passkey_signs_in_without_password_or_code_and_is_named_and_removed(
    world: World, ola: Person, key: Authenticator
) -> None:
    second_factor(ola)
    phone = Person(world)
    assert sign_in(phone, key.sign(asked_for(page(world)))) == 303 and phone.is_in
    shown = ola.get(KEYS).text
    assert "My laptop" in shown and "last used" in shown and "My laptop" in ola.get("/admin/account").text
    number = shown.partition('name="passkey" value="')[2].partition('"')[0]
    waits = asked_for(page(world))
    assert "no longer works here" in ola.post("/admin/account/no-passkey", passkey=number).text
    assert ola.post("/admin/account/no-passkey", passkey=number).status_code == 404
    assert sign_in(Person(world), key.sign(waits)) == 422
    assert "data-passkey" not in page(world), "there is none left"


def test_what_a_passkey_signs_is_used_once_within_five_minutes_and_for_nothing_else(
    world: World, ola: Person, key: Authenticator
) -> None:
    first = key.sign(asked_for(page(world)))
    assert [sign_in(Person(world), first), sign_in(Person(world), first)] == [303, 422]
    same = asked_for(page(world))
    assert [sign_in(Person(world), key.sign(same)) for _ in range(2)] == [303, 422], (
        "another signature, the same challenge"
    )
    late = key.sign(asked_for(page(world)))
    world.clock.forward(minutes=5)
    assert sign_in(Person(world), late) == 422
    for_making = asked_for(ola.get(KEYS).text)
    assert sign_in(Person(world), key.sign(for_making | {"rpId": "news.example.org"})) == 422
    assert sign_in(Person(world), key.sign(asked_for(page(world)) | {"challenge": "bWFkZSB1cA"})) == 422


WRONG = {
    "another site's": {"origin": "https://evil.example"}, "without TLS": {"origin": "http://news.example.org"},
    "nobody was asked": {"verifies": False}, "copied": {"count": 0}, "unknown": {"id": b"unknown"},
}  # fmt: skip


@each("change", WRONG.values())
def test_an_answer_that_proves_less_signs_nobody_in(world: World, change: dict[str, object]) -> None:
    ola = Person(world)
    if ola.sign_in().status_code != 303:
        ola = at_the_desk(world, email=OLA)
    key = Authenticator(HOME)
    add(ola, key)
    assert sign_in(Person(world), key.sign(asked_for(page(world)))) == 303
    assert sign_in(Person(world), replace(key, **change).sign(asked_for(page(world)))) == 422  # type: ignore[arg-type]
    assert sign_in(Person(world), key.sign(asked_for(page(world)))) == 303


def test_a_key_that_does_not_ask_for_its_owner_or_belongs_to_another_site_is_not_taken(ola: Person) -> None:
    for wrong in (Authenticator(HOME, verifies=False), Authenticator("https://evil.example")):
        assert "No passkey was made" in add(ola, wrong)
    twice = Authenticator(HOME)
    answer = twice.make(asked_for(ola.get(KEYS).text))
    said = [ola.post(KEYS, name="x", credential=answer).status_code for _ in range(2)]
    assert said == [200, 422]
    assert "already here" in add(ola, twice)
    for name in ("", "x" * 65, "a\nb"):
        assert "one line" in add(ola, Authenticator(HOME), name)


EMPTY = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "attestationObject": "AA"}
HOSTILE = [
    "", "x", "{}", "[]", "null", "[" * 19_000, '{"id": 1}', "\0", "ä" * 9_000,
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": EMPTY}),
]  # fmt: skip


def test_whatever_is_sent_in_place_of_an_answer_proves_nothing(ola: Person) -> None:
    for text in HOSTILE:
        stranger = Person(ola.world, f"198.51.100.{HOSTILE.index(text)}")
        assert sign_in(stranger, text) == 422, text[:20]
        assert ola.post(KEYS, name="x", credential=text).status_code == 422, text[:20]


def test_tries_are_counted_by_network_and_keep_no_other_out(world: World, ola: Person, key: Authenticator) -> None:
    assert [sign_in(Person(world), "x") for _ in range(21)] == [422] * 20 + [429]
    assert sign_in(Person(world, "192.0.2.9"), key.sign(asked_for(page(world)))) == 303


def test_a_passkey_stands_for_the_password_before_what_is_grave_and_nobody_elses_does(
    world: World, ola: Person, key: Authenticator
) -> None:
    eve, evil = at_the_desk(world, Role.OWNER, "eve@example.org"), Authenticator(HOME)
    add(eve, evil)
    world.clock.forward(minutes=10)
    fields = {"name": "my-sender", "scope": "read"}
    asked = asked_for(ola.post("/admin/tokens", **fields).text)
    assert [one["id"] for one in asked["allowCredentials"]] == [json.loads(key.sign(asked))["id"]]
    assert ola.post("/admin/tokens", **fields, proof_key=evil.sign(asked)).status_code == 422
    assert ola.post("/admin/tokens", **fields, proof_key=key.sign(asked_for(page(world)))).status_code == 422
    mine = key.sign(asked_for(ola.post("/admin/tokens", **fields).text))
    assert eve.post("/admin/tokens", **fields, proof_key=mine).status_code == 422
    assert "yt_" in ola.post("/admin/tokens", **fields, proof_key=mine).text


def test_whose_account_is_closed_or_taken_back_is_not_let_in(world: World, ola: Person, key: Authenticator) -> None:
    boss = at_the_desk(world, email="boss@example.org")
    assert boss.post("/admin/accounts/1/disable").status_code == 200
    asked = [asked_for(page(world)) for _ in range(2)]
    assert sign_in(Person(world), key.sign(asked[0])) == 422
    run(world, "accounts", "invite", OLA, "--role", "owner")
    assert sign_in(Person(world), key.sign(asked[1])) == 422, "the invitation is the way in"


def test_where_two_factors_are_asked_for_the_password_of_who_has_a_passkey_is_not_enough(
    make_app: Callable[..., Flask], world: World, ola: Person, key: Authenticator
) -> None:
    strict = make_app(server=world.parts.settings.server, admin=Admin(require_second_factor=True))
    with strict.app_context():
        there = World(strict, strict.test_client(), world.clock)
        person = Person(there)
        answer = person.sign_in(OLA, PASSWORD)
        assert answer.status_code == 422 and "with your passkey" in answer.text and not person.is_in
        assert sign_in(person, key.sign(asked_for(answer.text))) == 303 and person.is_in


@pytest.mark.parametrize(("url", "says"), [("http://127.0.0.1:8000", '<a href="http://localhost:8000/admin/account/passkeys">'),
                                           ("http://news.example.org", "begins with https")])  # fmt: skip
def test_where_browsers_make_no_passkeys_the_page_says_so(make_app: Callable[..., Flask], url: str, says: str) -> None:
    app = make_app(server=replace(current_parts(make_app()).settings.server, base_url=url))
    with app.app_context():
        ola = at_the_desk(World(app, app.test_client(), ManualClock()), email=OLA)
        shown = ola.get(KEYS).text
        assert says in shown and "data-passkey" not in shown and "<script" not in shown


def test_with_the_database_away_a_passkey_gets_the_page_that_says_so(world: World, key: Authenticator) -> None:
    answer = key.sign(asked_for(page(world)))
    take_database_away()
    assert sign_in(Person(world), answer) == 503
