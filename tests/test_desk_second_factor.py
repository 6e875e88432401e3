"""The second factor of the desk: codes of an app, each once; recovery codes; and what a password may be with it."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.roles import Role
from subscriptions.settings import Admin
from subscriptions.store.accounts import all_of
from subscriptions.store.engine import reading
from subscriptions.store.models import Account
from tests.builders import World, text_of
from tests.desk import OLA, PASSWORD, Person, at_the_desk, code, offered, second_factor
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_commands import run

pytestmark = BY_DAY_ON_SQLITE
SECOND, LONG, SHORT = "/admin/account/second-factor", "another five words it is", "zwölf+eins?"


@pytest.fixture
def ola(world: World) -> Person:
    return at_the_desk(world, email=OLA)


def at_the_code(world: World, password: str = PASSWORD) -> Person:
    """Somebody in a fresh browser whose password was right."""
    person = Person(world)
    assert "Your code, please" in person.sign_in(password=password).text
    return person


def _account() -> Account:
    with reading() as session:
        return all_of(session)[0]


def test_it_counts_once_the_app_has_shown_a_first_code_and_a_wrong_one_leaves_the_key_as_it_was(ola: Person) -> None:
    (key, sealed), page = offered(ola), ola.get(SECOND).text
    wrong = ola.post(SECOND, sealed=sealed, code="000000")
    assert wrong.status_code == 422 and key in wrong.text and sealed in wrong.text
    assert Person(ola.world).sign_in().status_code == 303, "it does not count yet"
    assert "recovery codes" in ola.post(SECOND, sealed=sealed, code=f" {code(ola.world, key)} ").text
    assert "otpauth://totp/" in page and "<svg" in page and key not in str(_account().totp)
    at_the_code(ola.world)


def test_a_key_that_was_sealed_for_somebody_else_is_none(world: World, ola: Person) -> None:
    eve = at_the_desk(world, email="eve@example.org")
    key, sealed = offered(eve)
    for text in (sealed, "", "x", "ä" * 60, sealed[:20]):
        assert ola.post(SECOND, sealed=text, code=code(world, key)).status_code == 422
    assert _account().totp is None


def test_each_code_works_once_and_one_of_before_it_no_more(world: World, ola: Person) -> None:
    secret, _ = second_factor(ola)
    assert at_the_code(world).post("/admin/second-step", code=code(world, secret)).status_code == 422, "it set it up"
    world.clock.forward(seconds=30)
    assert at_the_code(world).post("/admin/second-step", code=code(world, secret, 1)).status_code == 303
    late = at_the_code(world)
    tried = [late.post("/admin/second-step", code=code(world, secret, later)).status_code for later in (-1, 0, 1)]
    assert tried == [422] * 3 and not late.is_in
    world.clock.forward(minutes=1)
    late.post("/admin/second-step", code=code(world, secret))
    assert late.is_in
    answer = late.post("/admin/second-step", code=code(world, secret, 1))
    assert answer.status_code == 422 and "too long" in answer.text, "the step was done"


def test_who_waits_for_the_second_step_reaches_nothing_and_not_for_long(world: World, ola: Person) -> None:
    secret, _ = second_factor(ola)
    half = at_the_code(world)
    assert not half.is_in and half.get("/admin/").location.startswith("/admin/sign-in")
    assert "Where you are signed in" in (page := ola.get("/admin/account").text) and page.count("Sign out there") == 0
    world.clock.forward(minutes=5)
    late = half.post("/admin/second-step", code=code(world, secret))
    assert late.status_code == 422 and "too long" in late.text and not half.is_in
    assert Person(world).post("/admin/second-step", code=code(world, secret)).status_code == 422


def test_wrong_codes_are_counted_like_passwords_and_a_right_password_gives_none_back(world: World, ola: Person) -> None:
    second_factor(ola)
    eve = at_the_code(world)
    wrong = [eve.post("/admin/second-step", code=text).status_code for text in ["", "١٢٣٤٥٦", "\0", *["000000"] * 16]]
    assert wrong == [422] * 19
    assert "Your code, please" in eve.sign_in().text
    assert [eve.post("/admin/second-step", code="1" * 6).status_code for _ in range(2)] == [422, 429]


def test_each_of_ten_recovery_codes_works_once_and_new_ones_end_those_of_before(world: World, ola: Person) -> None:
    _, codes = second_factor(ola)
    assert len(set(codes)) == 10 and not any(one in str(_account().recovery) for one in codes)
    step = "/admin/second-step"
    assert at_the_code(world).post(step, code=codes[0].lower().replace("-", " ")).status_code == 303
    assert at_the_code(world).post(step, code=codes[0]).status_code == 422
    assert "9 recovery codes are left" in ola.get("/admin/account").text
    renewed = ola.post("/admin/account/recovery-codes").text
    assert codes[1] not in renewed and "10 recovery codes are left" in ola.get(SECOND).text
    assert at_the_code(world).post(step, code=codes[1]).status_code == 422


def test_a_short_password_may_be_with_a_second_factor_alone_which_then_stays(world: World, ola: Person) -> None:
    change, off = "/admin/account/password", "/admin/account/no-second-factor"
    assert ola.post(change, password=SHORT).status_code == 422
    second_factor(ola)
    assert ola.post(change, password="kurz!7?").status_code == 422
    assert ola.post(change, password=SHORT).status_code == 303
    answer = ola.post(off, password=SHORT)
    assert answer.status_code == 422 and "First choose one of at least 15 characters" in answer.text
    assert ola.post(off, password="wrong").status_code == 422 and _account().totp
    assert ola.post(change, password=LONG).status_code == 303
    assert ola.post(off, password=LONG).location == "/admin/account?done=off"
    assert Person(world).sign_in(password=LONG).status_code == 303


def test_a_changed_password_signs_out_every_other_browser_and_the_old_one_is_gone(world: World, ola: Person) -> None:
    phone = Person(world)
    phone.sign_in()
    assert ola.post("/admin/account/password", password=LONG).status_code == 303
    assert [ola.is_in, phone.is_in] == [True, False]
    assert [Person(world).sign_in(password=one).status_code for one in (PASSWORD, LONG)] == [422, 303]


@each("path", ["second-factor", "password", "passkeys"])
def test_what_is_changed_of_an_account_asks_for_the_password_before(world: World, path: str) -> None:
    eva = at_the_desk(world, Role.VIEWER, f"{path}@example.org")
    world.clock.forward(minutes=10)
    for answer in (eva.get(f"/admin/account/{path}"), eva.post(f"/admin/account/{path}", password=LONG)):
        assert "Your password, please" in answer.text and LONG not in answer.text


def test_one_browser_is_signed_out_and_nobody_elses(world: World, ola: Person) -> None:
    phone, eve = Person(world), at_the_desk(world, Role.VIEWER)
    phone.sign_in()
    [session] = [one for one in ola.get("/admin/account").text.split('name="session" value="')[1:]]
    number = session.partition('"')[0]
    for other in (number, "x", "", "0" * 64):
        assert eve.post("/admin/account/end-session", session=other).status_code == 404
    assert phone.is_in
    assert ola.post("/admin/account/end-session", session=number).status_code == 303
    assert [phone.is_in, ola.is_in] == [False, True]
    assert ola.post("/admin/account/end-session", session=number).status_code == 404


def test_the_command_takes_the_second_factor_away_only_when_it_is_asked_to(world: World, ola: Person) -> None:
    secret, _ = second_factor(ola)
    path = run(world, "accounts", "reset", OLA).stdout.splitlines()[-1].removeprefix(world.base_url)
    assert "Your code, please" in Person(world).post(path, password=SHORT, csrf=None).text
    said = run(world, "accounts", "reset", OLA, "--second-factor")
    assert "Second factor, passkeys and the old password are gone." in said.stderr
    assert Person(world).sign_in(password=SHORT).status_code == 422, "it may be too short to be the only factor"
    path = said.stdout.splitlines()[-1].removeprefix(world.base_url)
    fresh = Person(world)
    assert fresh.post(path, password=SHORT, csrf=None).status_code == 422
    assert fresh.post(path, password=LONG, csrf=None).status_code == 303 and fresh.is_in and secret


def test_where_a_second_factor_is_asked_for_nothing_is_reached_without(
    make_app: Callable[..., Flask], world: World
) -> None:
    strict = make_app(admin=Admin(require_second_factor=True))
    with strict.app_context():
        there = World(strict, strict.test_client(), world.clock)
        ola = at_the_desk(there, email=OLA)
        for path in ("/admin/", "/admin/account", "/admin/accounts", "/admin/account/password"):
            assert ola.get(path).location == SECOND, path
        assert ola.post("/admin/tokens", name="x", scope="read", csrf=_mark(ola)).location == SECOND
        assert "Everybody here needs" in ola.get(SECOND).text and ola.get("/admin/account/passkeys").status_code == 200
        key, sealed = offered(ola)
        assert ola.post(SECOND, sealed=sealed, code=code(there, key), csrf=_mark(ola)).status_code == 200
        assert ola.get("/admin/").status_code == 200
        here = Person(replace(there), "127.0.0.1")
        here.post("/admin/from-here", csrf=None)
        assert here.get("/admin/").status_code == 200, "who sits at the machine has no account to protect"


def _mark(person: Person) -> str:
    return person.get(SECOND).text.partition('name="csrf" value="')[2].partition('"')[0]


def test_an_owner_takes_the_second_factor_of_a_deputy_away_who_is_told_and_chooses_a_new_password(
    world: World, ola: Person
) -> None:
    eva, take = at_the_desk(world, Role.MANAGER, "eva@example.org"), "/admin/accounts/2/second-factor"
    second_factor(eva), second_factor(ola)
    assert ola.get("/admin/accounts").text.count("/second-factor") == 1, "one’s own ends at one’s own page"
    assert eva.post(take).status_code == 403
    world.clock.forward(minutes=10)
    assert "Your password, please" in ola.post(take).text
    page = ola.post(take, proof=PASSWORD).text
    assert "Hand this link to" in page and not eva.is_in
    assert Person(world).sign_in("eva@example.org").status_code == 422, "the password is gone as well"
    [mail] = world.mails("eva@example.org")
    assert "second factor" in mail["Subject"] and "tell the people who run the desk" in text_of(mail, "plain")
    [link] = re.findall(r"/admin/come-in/[\w.-]+", text_of(mail, "plain"))
    assert link in page and Person(world).post(link, password=LONG, csrf=None).status_code == 303
    assert "removed second factor, passkeys and password of" in ola.get("/admin/audit").text
    assert ola.post("/admin/accounts/1/second-factor").status_code == 422 and ola.is_in
