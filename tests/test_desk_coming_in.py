"""Coming in at the desk: by a link that works once, with a password, and never by trying."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from flask import Flask

from subscriptions import passwords
from subscriptions.actions import accounts
from subscriptions.domain.roles import Role
from subscriptions.settings import Admin, Mail
from subscriptions.store.engine import transaction
from subscriptions.store.models import Account, DeskSession
from tests.builders import World
from tests.desk import OLA, PASSWORD, Person, at_the_desk, invited
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.test_commands import run

pytestmark = BY_DAY_ON_SQLITE


def test_a_link_stands_alone_on_the_last_line_and_lets_somebody_in_once(world: World) -> None:
    said = run(world, "accounts", "invite", OLA, "--role", "owner")
    link, ola = said.stdout.splitlines()[-1], Person(world)
    assert link.startswith(f"{world.base_url}/admin/come-in/") and said.stdout.splitlines() == [link]
    path = link.removeprefix(world.base_url)
    assert [ola.get(path).status_code, ola.get(path).status_code] == [200, 200], "a look uses nothing up"
    assert ola.post(path, password=PASSWORD, csrf=None).status_code == 303
    assert ola.is_in and "Nobody has signed up yet." in ola.get("/admin/").text
    assert [Person(world).get(path).status_code, Person(world).post(path, password=PASSWORD).status_code] == [410, 410]


def test_a_link_works_for_an_hour_and_no_longer_than_the_next_one_is_made(world: World) -> None:
    first, second = invited(world), invited(world)
    assert [Person(world).get(path).status_code for path in (first, second)] == [410, 200]
    world.clock.forward(minutes=59, seconds=59)
    assert Person(world).get(second).status_code == 200
    world.clock.forward(seconds=1)
    assert Person(world).get(second).status_code == 410


REFUSED = {
    "fourteen chars": "shorter than 15", "x" * 257: "longer than 256", "aaaaaaaaaaaaaaa": "easily guessed",
    "abcabcabcabcabc": "easily guessed", "12345678901234567": "easily guessed",
    "ola@example.org!!": "your email address",
}  # fmt: skip
FINE = [
    "fifteen letters", "only small letters here", "ein paar Wörter mit ß", "🦉" * 8 + "owls at night",
    "".join(map(chr, range(0x4E00, 0x4F00))),
]  # fmt: skip


@each(("password", "why"), REFUSED.items())
def test_a_password_that_is_short_or_easily_guessed_is_refused_with_the_reason(
    world: World, password: str, why: str
) -> None:
    answer = Person(world).post(invited(world), password=password, csrf=None)
    assert answer.status_code == 422 and why in answer.text


@each("password", FINE)
def test_any_characters_may_be_in_a_password_and_none_must(password: str) -> None:
    assert passwords.problem(password, OLA) == ""


def test_what_is_stored_of_a_password_is_an_argon2id_hash(world: World) -> None:
    at_the_desk(world, email=OLA)
    kept = accounts.find(OLA)
    assert kept is not None and str(kept.password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_account_is_found_by_any_spelling_of_its_address(world: World) -> None:
    at_the_desk(world, email=OLA)
    ola = Person(world)
    assert ola.sign_in(" OLA@Example.ORG ").status_code == 303 and ola.is_in


def test_whoever_has_no_account_is_answered_as_with_a_wrong_password(world: World) -> None:
    at_the_desk(world, email=OLA)
    invited(world, "invited@example.org")
    closed = at_the_desk(world, Role.VIEWER, "closed@example.org")
    with transaction() as session:
        session.query(Account).filter_by(email="closed@example.org").update({"disabled_at": world.clock.now()})
    tried = [(OLA, "wrong"), ("nobody@example.org", PASSWORD), ("invited@example.org", PASSWORD),
             ("closed@example.org", PASSWORD), ("no address", PASSWORD), ("", "")]  # fmt: skip
    answers = [Person(world).sign_in(email, password) for email, password in tried]
    assert {answer.status_code for answer in answers} == {422}
    texts = zip(tried, answers, strict=True)
    assert len({answer.text.replace(f'required value="{email}"', "") for (email, _), answer in texts}) == 1
    assert not closed.is_in


def test_signing_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site(world: World) -> None:
    at_the_desk(world, email=OLA)
    ola = Person(world)
    asked = ola.get("/admin/audit?about=anne%40example.org")
    assert asked.status_code == 303 and asked.location.startswith("/admin/sign-in?then=/admin/audit")
    elsewhere = [
        "//evil.example", "https://evil.example/admin", "/adminx//evil.example", "/admin\\evil", "/", "/admin\r\nx",
    ]  # fmt: skip
    for then in elsewhere:
        assert Person(world).sign_in(then=then).location == "/admin/", then
    assert ola.sign_in(then="/admin/audit?about=x").location == "/admin/audit?about=x"


def test_twenty_tries_of_a_network_are_all_and_the_right_password_is_not_looked_at_then(world: World) -> None:
    at_the_desk(world, email=OLA)
    assert {Person(world).sign_in(f"guess{n}@example.org", "wrong").status_code for n in range(20)} == {422}
    late = Person(world).sign_in()
    assert late.status_code == 429 and 0 < int(late.headers["Retry-After"]) <= 900
    world.clock.forward(minutes=15)
    assert Person(world).sign_in().status_code == 303


def test_a_strangers_guesses_from_many_networks_are_stopped_and_keep_nobody_out_who_was_in_before(world: World) -> None:
    ola = at_the_desk(world, email=OLA)
    guesses = [Person(world, f"198.51.100.{n}").sign_in(OLA, "wrong").status_code for n in range(22)]
    assert guesses == [422] * 20 + [429] * 2
    assert Person(world, "192.0.2.9").sign_in().status_code == 429, "a browser that never was in"
    ola.post("/admin/sign-out")
    assert ola.sign_in().status_code == 303


def test_in_try_out_mode_whoever_sits_at_the_machine_comes_in_by_a_press(world: World) -> None:
    here = Person(world, "127.0.0.1")
    assert "Come in" in here.get("/admin/sign-in").text
    assert [here.post("/admin/from-here", csrf=None).status_code for _ in range(2)] == [303, 303]
    assert here.get("/admin/accounts").status_code == 200 and world.count(DeskSession) == 1
    cookie, far = here.client.get_cookie("desk", "127.0.0.1"), Person(world)
    far.client.set_cookie("desk", cookie.value if cookie else "", domain="127.0.0.1")
    assert [far.is_in, "Come in" in far.get("/admin/sign-in").text] == [False, False]


FROM_AFAR = [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"Sec-Fetch-Site": "cross-site"},
             {"Via": "1.1 proxy"}]  # fmt: skip


@each("headers", FROM_AFAR)
def test_through_a_proxy_or_from_another_site_no_press_comes_in(world: World, headers: dict[str, str]) -> None:
    here = Person(world, "127.0.0.1")
    assert here.post("/admin/from-here", headers, csrf=None).status_code in (303, 403)
    assert not here.is_in


def test_where_mails_leave_no_press_comes_in(make_app: Callable[..., Flask], world: World) -> None:
    live = make_app(mail=Mail(transport="smtp"))
    with live.app_context():
        here = Person(World(live, live.test_client(), world.clock), "127.0.0.1")
        here.post("/admin/from-here", csrf=None)
        assert not here.is_in


def test_the_desk_is_for_named_networks_alone_or_for_none(make_app: Callable[..., Flask], world: World) -> None:
    near = make_app(admin=Admin(networks=("192.0.2.0/24", "2001:db8::/32")))
    with near.app_context():
        there, ips = World(near, near.test_client(), world.clock), ("192.0.2.7", "203.0.113.7", "2001:db8::1")
        assert [Person(there, ip).get("/admin/sign-in").status_code for ip in ips] == [200, 404, 200]
    off = make_app(admin=Admin(enabled=False))
    with off.app_context():
        assert Person(World(off, off.test_client(), world.clock)).get("/admin/sign-in").status_code == 404


COOKIES = [("https://news.example.org", "__Host-desk"), ("http://127.0.0.1:8000", "desk")]


@pytest.mark.parametrize(("base_url", "name"), COOKIES)
def test_the_cookie_is_for_this_host_and_no_script(
    make_app: Callable[..., Flask], world: World, base_url: str, name: str
) -> None:
    app = make_app(server=replace(world.parts.settings.server, base_url=base_url))
    with app.app_context():
        ola = Person(World(app, app.test_client(), world.clock))
        given = ola.post(invited(ola.world), password=PASSWORD, csrf=None).headers.getlist("Set-Cookie")
        parts = next(one for one in given if one.startswith(f"{name}=")).split("; ")[1:]
        secure = ["Secure"] if base_url.startswith("https") else []
        assert sorted(parts) == sorted([*secure, "HttpOnly", "Path=/", "SameSite=Lax"])


def test_right_passwords_use_up_no_tries(world: World) -> None:
    at_the_desk(world, email=OLA)
    ola = Person(world)
    assert {ola.sign_in().status_code for _ in range(25)} == {303}


def test_a_password_that_was_hashed_in_a_cheaper_way_is_hashed_anew_at_the_next_sign_in(world: World) -> None:
    at_the_desk(world, email=OLA)
    dated = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with transaction() as session:
        session.query(Account).update({"password": dated})
    assert [Person(world).sign_in(password=typed).status_code for typed in ("wrong", PASSWORD, PASSWORD)] == [
        422,
        303,
        303,
    ]
    kept = accounts.find(OLA)
    assert kept is not None and str(kept.password).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@each("origin", ["null", "https://evil.example", "http://[evil", "http://127.0.0.1:8000.evil.example", ""])
def test_a_browser_without_fetch_metadata_is_asked_where_its_form_comes_from(world: World, origin: str) -> None:
    here = {"base_url": world.base_url, "environ_base": {"REMOTE_ADDR": "127.0.0.1"}}
    old = world.app.test_client()
    assert old.post("/admin/from-here", headers={"Origin": origin}, **here).status_code == 403
    assert old.get_cookie("desk", "127.0.0.1") is None
    assert (
        world.app.test_client().post("/admin/from-here", headers={"Origin": world.base_url}, **here).status_code == 303
    )
