"""Sign-up by form: the way of people, through to the mail that leaves."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from subscriptions.settings import Limits
from subscriptions.store import mailbox
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, World, rows_of_every_table, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

FORM = f"/subscribe/{NEWS}"


def raw_heads(world: World) -> list[bytes]:
    """The headers of every mail as they left, byte for byte."""
    world.deliver()
    with reading() as session:
        return [bytes(one.source).partition(b"\r\n\r\n")[0] for one in mailbox.newest(session)]


def hidden_wording(page: TestResponse) -> str:
    found = re.search(r'name="wording" value="([0-9a-f]+)"', page.text)
    assert found is not None
    return found[1]


def test_the_form_leads_to_the_inbox(world: World) -> None:
    answer = world.sign_up_by_form(ANNE)
    assert answer.status_code == 303
    assert re.fullmatch(rf"{FORM}/check-inbox\?r=[\w-]{{40}}&a=[\w-]+", answer.location)
    page = world.get(answer.location)
    assert (page.status_code, ANNE in page.text, ANNE in answer.location) == (200, True, False)


def test_a_filled_form_is_stored_with_its_wording(world: World) -> None:
    wording = hidden_wording(world.get(FORM))
    world.sign_up_by_form(ANNE, name="Anne", wording=wording)
    [row], [fact] = world.registrations(), world.evidence()
    assert (row.address, row.name, row.wording_id) == (ANNE, "Anne", wording)
    assert (fact.channel, fact.ip, fact.details["wording"]) == ("form", "203.0.113.7", wording)


def test_the_form_marks_the_one_field_that_must_be_filled(world: World) -> None:
    page = world.get(FORM).text
    assert re.findall(r'<input [^>]*name="(\w+)"[^>]* required', page) == ["email"]
    assert 'Name <span class="need">(optional)</span>' in page
    assert " checked" not in page


def test_a_wording_that_is_out_of_date_is_accepted_and_named(world: World, make_app: Callable[..., Flask]) -> None:
    old = hidden_wording(world.get(FORM))
    newer = make_app(lists=(replace(LISTS[0], wording="Another text."), *LISTS[1:]))
    with newer.app_context():
        assert hidden_wording(newer.test_client().get(FORM)) != old
        assert newer.test_client().post(FORM, data={"email": ANNE, "wording": old}).status_code == 303
        assert world.evidence()[0].details["wording"] == old


@pytest.mark.parametrize("wording", ["0123456789abcdef", "x", "\x00"])
def test_an_unknown_wording_gets_the_form_again(world: World, wording: str) -> None:
    answer = world.sign_up_by_form(ANNE, wording=wording)
    assert (answer.status_code, world.registrations()) == (422, [])
    assert hidden_wording(answer) == hidden_wording(world.get(FORM))


def test_the_wording_of_another_list_is_refused(world: World) -> None:
    other = hidden_wording(world.get(f"/subscribe/{OFFERS}"))
    assert world.sign_up_by_form(ANNE, NEWS, wording=other).status_code == 422


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong(world: World) -> None:
    answer = world.sign_up_by_form('anne"><b>@', name="Anne & Co")
    assert answer.status_code == 422
    assert 'value="anne&#34;&gt;&lt;b&gt;@"' in answer.text
    assert 'value="Anne &amp; Co"' in answer.text
    assert 'aria-invalid="true"' in answer.text and 'role="alert"' in answer.text


@pytest.mark.parametrize("path", ["/subscribe/nope", "/subscribe/nope/check-inbox", "/subscribe/%00"])
def test_an_unknown_list_has_no_page(world: World, path: str) -> None:
    assert world.get(path).status_code == 404


def test_a_field_sent_twice_is_refused(world: World) -> None:
    for field in ("email", "name", "wording"):
        data: MultiDict[str, Any] = MultiDict([("email", ANNE), (field, "x"), (field, "y")])
        assert world.post(FORM, data=data).status_code == 422
    assert world.registrations() == []


def test_fields_that_are_not_the_visitors_have_no_effect(world: World) -> None:
    forbidden = {"status": "confirmed", "confirmed_at": "2026-01-01", "ip": "192.0.2.9", "list": OFFERS, "id": "7"}
    assert world.sign_up_by_form(ANNE, **forbidden).status_code == 303
    [row] = world.registrations()
    assert (row.state, row.list_id) == ("pending", world.parts.catalogue.configured[0].id)
    assert world.evidence()[0].ip == "203.0.113.7"


BODIES = (
    (b"", "application/x-www-form-urlencoded"), (b"%", "application/x-www-form-urlencoded"),
    (b"email=%ff%fe&name=%00", "application/x-www-form-urlencoded"),
    (b"&" * 60_000, "application/x-www-form-urlencoded"),
    (b"a=b&" * 12_000, "application/x-www-form-urlencoded"), (b'{"email": "anne@example.org"}', "application/json"),
    (b"--x\r\n", "multipart/form-data; boundary=x"), (b"garbage", "multipart/form-data"), (b"\x00" * 100, "text/plain"),
    (b'--x\r\nContent-Disposition: form-data; name="email"; filename="f"\r\n\r\nanne@example.org\r\n--x--\r\n',
     "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nj\xfcrg@example.org\r\n--x--\r\n',
     "multipart/form-data; boundary=x"),
)  # fmt: skip


@each(("body", "kind"), BODIES)
def test_a_body_that_is_no_form_gets_the_form(world: World, body: bytes, kind: str) -> None:
    answer = world.post(FORM, data=body, content_type=kind)
    assert (answer.status_code, world.registrations()) == (422, [])


def test_ten_megabytes_are_too_much(world: World) -> None:
    before = rows_of_every_table()
    assert world.post(FORM, data={"email": "x" * 10_000_000}).status_code == 413
    body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + b"x" * 10_000_000
    assert world.post(FORM, data=body, content_type="multipart/form-data; boundary=x").status_code == 413
    assert rows_of_every_table() == before


def test_a_form_in_multipart_is_a_form_too(world: World) -> None:
    assert world.post(FORM, data={"email": ANNE}, content_type="multipart/form-data").status_code == 303


INJECTIONS = (
    "Anne\r\nBcc: bart@example.org", "Anne\nBcc: bart@example.org", "Anne\rBcc: bart@example.org", "Anne%0d%0aBcc: x",
    "=?utf-8?q?=0ABcc:bart@example.org?=", "=?utf-8?b?CkJjYzogYmFydEBleGFtcGxlLm9yZw==?=", "Anne\tBcc: x@example.org",
    "=?UTF-8?Q?Anne?=", "Anne\x0bBcc:", "Anne\x00", "Anne\u2028Bcc: bart@example.org", "Anne\u0085Bcc: x@example.org",
    "\x00confirm_url:raw\x00", "Anne <bart@example.org>", ".\r\nMAIL FROM:<x@example.org>", "Anne\r\n\r\nA body",
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS, ids=ascii)
def test_nothing_that_a_stranger_types_becomes_part_of_a_mails_headers(world: World, text: str) -> None:
    world.sign_up_by_form(BART)
    for field in ("name", "locale", "wording"):
        world.sign_up_by_form(ANNE, **{field: text})
        world.clock.forward(minutes=15)
    for address in (text, f"{text}@example.org", f"carl@example.org{text}", f"carl@{text}.example.org"):
        world.sign_up_by_form(address)
    heads = raw_heads(world)
    assert {tuple(names(head)) for head in heads} == {tuple(names(heads[0]))}
    to = {line for head in heads for line in head.split(b"\r\n") if line.startswith(b"To:")}
    assert to <= {b"To: anne@example.org", b"To: bart@example.org"}


def test_a_name_stays_a_name_in_the_text_of_the_mail(world: World) -> None:
    for name in ("{{ 7*7 }}", "QzXconfirm_urlXzQ", "<b>Anne</b>", "Visit example.org now"):
        world.sign_up_by_form(ANNE, name=name)
        assert name not in text_of(world.mails(ANNE)[-1]) and "49" not in text_of(world.mails(ANNE)[-1])[:20]
        world.clock.forward(days=1)


def names(head: bytes) -> list[bytes]:
    return [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]


def test_a_mail_has_each_header_once_and_no_bare_line_end(world: World) -> None:
    world.sign_up_by_form("ärger@bücher.example", name="Ärger")
    [head] = raw_heads(world)
    assert len(names(head)) == len(set(names(head)))
    assert b"\r" not in head.replace(b"\r\n", b"") and b"\n" not in head.replace(b"\r\n", b"")
    assert "To: ärger@xn--bcher-kva.example".encode() in head.split(b"\r\n")


@pytest.fixture
def two_an_hour(make_app: Callable[..., Flask]) -> Flask:
    return make_app(limits=Limits(signups_per_network="2/1h"))


@pytest.mark.parametrize(("same", "other"), [("203.0.113.1", "203.0.113.2"), ("2001:db8:0:1::1", "2001:db8:0:2::1")])
def test_a_network_has_its_number_of_sign_ups_an_hour(two_an_hour: Flask, world: World, same: str, other: str) -> None:
    with two_an_hour.app_context():
        crowd = World(two_an_hour, two_an_hour.test_client(), world.clock)
        statuses = [crowd.sign_up(f"a{n}@example.org", remote_addr=same).status_code for n in range(3)]
        assert statuses == [202, 202, 429]
        assert crowd.sign_up("b@example.org", remote_addr=other).status_code == 202
        world.clock.forward(hours=1)
        assert crowd.sign_up("c@example.org", remote_addr=same).status_code == 202


def test_who_is_refused_is_told_when_to_come_back_and_leaves_no_trace(two_an_hour: Flask, world: World) -> None:
    with two_an_hour.app_context():
        crowd = World(two_an_hour, two_an_hour.test_client(), world.clock)
        for address in (ANNE, BART):
            crowd.sign_up_by_form(address)
        before = {name: rows for name, rows in rows_of_every_table().items() if name != "counters"}
        world.clock.forward(minutes=20)
        answer = crowd.sign_up_by_form("cris@example.org")
        assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Cache-Control"]) == (
            429,
            "2400",
            "no-store",
        )
        assert {name: rows_of_every_table()[name] for name in before} == before


def test_buttons_of_mails_are_never_limited(two_an_hour: Flask, world: World) -> None:
    with two_an_hour.app_context():
        crowd = World(two_an_hour, two_an_hour.test_client(), world.clock)
        for address in (ANNE, BART, "cris@example.org"):
            crowd.sign_up_by_form(address)
        links = (crowd.confirm_link(ANNE), crowd.not_me_link(BART), crowd.leave_link(BART))
        assert {crowd.post(link).status_code for link in links * 3} == {200}
        assert crowd.post(f"{links[0]}/again").status_code == 303


def test_a_closed_budget_changes_nothing_and_is_answered_the_same(world: World) -> None:
    statuses = [world.sign_up_by_form(ANNE).status_code for _ in range(3)]
    assert (statuses, len(world.registrations()), len(world.mails(ANNE))) == ([303] * 3, 1, 1)
    world.clock.forward(minutes=15)
    world.sign_up_by_form(ANNE)
    assert len(world.mails(ANNE)) == 2


def test_another_list_within_the_fifteen_minutes_waits_for_their_end(world: World) -> None:
    world.sign_up_by_form(ANNE, NEWS)
    world.sign_up_by_form(ANNE, OFFERS)
    assert (len(world.registrations()), len(world.mails(ANNE))) == (2, 1)
    world.clock.forward(minutes=15)
    assert len(world.mails(ANNE)) == 2


@pytest.mark.parametrize("who", ["Example Society", "Example Ltd."])
def test_the_form_and_its_data_say_who_is_responsible_in_one_sentence(make_app: Callable[..., Flask], who: str) -> None:
    client = make_app(lists=(replace(LISTS[0], controller=who),)).test_client()
    said = f"Responsible: {who.rstrip('.')}. "
    assert said in " ".join(client.get(f"/subscribe/{NEWS}").text.split())
    assert client.get(f"/api/v1/lists/{NEWS}/form").get_json()["lists"][0]["purpose"].startswith(said)
