"""Sign-up by JSON: what is taken, what is refused and how, and that nothing makes it fall over."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.builders import ANNE, HIDDEN, NEWS, World, rows_of_every_table
from tests.support.cases import each
from tests.typed import code_in

URL = "/api/v1/subscriptions"
GOOD = {"email": ANNE}


def send(world: World, body: bytes, kind: str = "application/json") -> TestResponse:
    return world.post(URL, data=body, content_type=kind)


def pointers(answer: TestResponse) -> list[str]:
    return [one["pointer"] for one in answer.get_json(force=True)["errors"]]


def test_an_address_alone_is_taken_for_the_first_list(world: World) -> None:
    answer = world.post(URL, json=GOOD)
    assert (answer.status_code, answer.mimetype) == (202, "application/json")
    handle = answer.get_json().pop("registration")
    assert answer.get_json() == {"status": "pending_confirmation", "list": NEWS, "registration": handle}
    assert len(handle) >= 22


def test_what_was_sent_is_what_is_stored(world: World) -> None:
    world.sign_up(" Anne@EXAMPLE.org ", HIDDEN, name="  Anne Example ", locale="de-AT")
    [row] = world.registrations()
    assert (row.address, row.typed, row.name, row.locale) == (
        "Anne@example.org",
        "Anne@EXAMPLE.org",
        "Anne Example",
        "de-AT",
    )
    [fact] = world.evidence()
    assert (fact.fact, fact.channel, fact.ip, fact.ip_source) == ("registered", "api", "203.0.113.7", "peer")
    assert row.registered_at == fact.at == world.clock.now()


def test_an_empty_name_is_no_name(world: World) -> None:
    world.sign_up(name="  ")
    assert world.registrations()[0].name is None


def test_the_locale_of_the_list_stands_where_none_is_given(world: World) -> None:
    world.sign_up(locale="")
    assert world.registrations()[0].locale == "en"


def test_the_wording_that_the_client_names_is_kept_as_evidence(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    assert world.sign_up(wording=row.wording_id).status_code == 202
    details = world.evidence()[0].details
    assert details["wording"] == row.wording_id == world.registrations()[0].wording_id


def test_the_evidence_names_the_whole_hash_of_the_wording(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    world.sign_up(wording=row.wording_id)
    assert world.evidence()[0].details["wording_sha256"] == world.parts.catalogue.wordings[row.wording_id].sha256


def test_a_wording_of_another_list_or_of_none_is_refused(world: World) -> None:
    other = world.parts.catalogue.by_slug(HIDDEN)
    assert other is not None
    for wrong in (other.wording_id, "0123456789abcdef", "\x00"):
        answer = world.sign_up(slug=NEWS, wording=wrong)
        assert (answer.status_code, pointers(answer)) == (422, ["/wording"])


GOOD_ADDRESSES = (
    "!#$%&'*+/=?^_`{}~-|@example.org",
    "x" * 64 + "@example.org",
    "anne@bücher.example",
    "ärger@example.org",
    "anne@" + "x" * 63 + ".example.org",
    "a@" + ".".join(["x" * 61] * 4) + ".org",
)
BAD_ADDRESSES = (
    "", " ", "anne", "anne@", "@example.org", "anne@example", "anne@localhost",
    '"a b"@example.org', "anne@[192.0.2.1]", "anne@192.0.2.1", "Anne <anne@example.org>",
    "anne@example.org,bart@example.org", "anne@@example.org", "an ne@example.org", ".anne@example.org",
    "an..ne@example.org", "anne.@example.org", "anne@-example.org", "anne@example.org.", "anne@exa_mple.org",
    "x" * 65 + "@example.org", "ü" * 33 + "@example.org", "a@" + ".".join(["x" * 63] * 4) + ".org",
    "anne\x00@example.org", "anne@example.org\r\nBcc: bart@example.org", "anne%0d%0aBcc:@example.org",
    "=?utf-8?q?=0ABcc:bart@example.org?=", "anne\u200b@example.org", "an\u202ene@example.org", "anne@exam\u2028ple.org",
    "j\ufffdrg@example.org", "anne(x)@example.org", "@a.org:anne@example.org",
    "x" * 60_000 + "@example.org", "anne@" + "x." * 20_000 + "org", "\t\nanne\t@example.org",
)  # fmt: skip


@pytest.mark.parametrize("address", GOOD_ADDRESSES, ids=ascii)
def test_an_address_that_can_be_mailed_is_taken(world: World, address: str) -> None:
    assert world.sign_up(address).status_code == 202
    assert world.count(type(world.registrations()[0])) == 1


@each("address", BAD_ADDRESSES)
def test_an_address_that_cannot_be_mailed_is_refused_with_a_reason(world: World, address: str) -> None:
    answer = world.sign_up(address)
    assert (answer.status_code, pointers(answer)) == (422, ["/email"])
    assert world.registrations() == []


NO_JSON = (
    b"", b"{", b"\xff", b'{"email": NaN}', b'{"email": -Infinity}', b"[" * 60_000, b'{"a":' * 10_000, b"1" * 5000,
    b'\xef\xbb\xbf{"email": "anne@example.org"}', b'{"email": "anne@example.org", "email": "bart@example.org"}',
    b'{"email": "anne@example.org"} {}', b"email=anne@example.org", b"\x00",
    '{"email": "anne@example.org"}'.encode("utf-16"), b'{"email": "\\ud800@example.org"}',
    b'{"email": "anne@\\udfff.org"}', b'{"email": "anne@example.org", "name": "\\udc00\\ud800"}', b'{"\\ud800": ""}',
    b'{"registration": "\\ud800"}', b'{"registration": "\\uDBFF", "code": "\\uDBFF"}',
)  # fmt: skip


@each("body", NO_JSON)
def test_a_body_that_is_no_json_is_a_bad_request(world: World, body: bytes) -> None:
    for url in (URL, f"{URL}/again", "/api/v1/confirmations"):
        answer = world.post(url, data=body, content_type="application/json")
        assert (url, answer.status_code, answer.mimetype) == (url, 400, "application/problem+json")
    assert world.registrations() == []


@each("member", ["email", "list", "name", "locale", "wording"])
def test_a_member_of_a_wrong_type_is_named(world: World, member: str) -> None:
    for value in (None, 1, 1.5, True, [], [ANNE], {}, {"email": ANNE}):
        answer = world.post(URL, json=GOOD | {member: value})
        assert (answer.status_code, pointers(answer)) == (422, [f"/{member}"])


@each("body", [b"[]", b"null", b"1", b'"anne@example.org"', b"true", b"[{}]", b"1e999"])
def test_json_that_is_no_object_is_refused(world: World, body: bytes) -> None:
    assert send(world, body).status_code == 422


FORBIDDEN = (
    "status",
    "state",
    "confirmed_at",
    "ip",
    "registered_at",
    "list_owner",
    "consent_version",
    "id",
    "actor",
    "__proto__",
)


@each("member", FORBIDDEN)
def test_nobody_sets_what_is_not_theirs_to_set(world: World, member: str) -> None:
    answer = world.post(URL, json=GOOD | {member: "confirmed"})
    assert (answer.status_code, pointers(answer)) == (422, [f"/{member}"])
    assert world.registrations() == []


def test_a_pointer_escapes_what_json_pointers_escape(world: World) -> None:
    assert pointers(world.post(URL, json=GOOD | {"a/b~c": ""})) == ["/a~1b~0c"]


def test_every_problem_is_named_at_once(world: World) -> None:
    wrong: dict[str, Any] = {"email": "anne", "name": "x" * 101, "locale": "x y", "wording": "?"}
    assert pointers(world.post(URL, json=wrong)) == ["/email", "/name", "/locale", "/wording"]


@each("name", ["a\x00", "a\nb", "\x7f", "a\u2028b", "x" * 101, "x" * 60_000])
def test_a_name_that_is_no_line_of_text_is_refused(world: World, name: str) -> None:
    assert world.sign_up(name=name).status_code == 422


def test_an_unknown_list_is_not_found(world: World) -> None:
    assert [world.sign_up(slug=slug).status_code for slug in ("nope", "", "\x00", "../newsletter")] == [404] * 4


@each("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "text/json"])
def test_another_media_type_is_refused(world: World, kind: str) -> None:
    assert send(world, json.dumps(GOOD).encode(), kind).status_code == 415


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_json_may_name_its_charset(world: World, charset: str) -> None:
    assert send(world, json.dumps(GOOD).encode(), f"application/json; charset={charset}").status_code == 202


def test_ten_megabytes_are_too_much(world: World) -> None:
    before = rows_of_every_table()
    answer = send(world, b'{"email": "' + b"x" * 10_000_000 + b'"}')
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert rows_of_every_table() == before


def test_a_refused_sign_up_leaves_nothing_behind(world: World) -> None:
    before = rows_of_every_table()
    world.sign_up("anne@")
    world.sign_up(slug="nope")
    world.post(URL, json=GOOD | {"status": "confirmed"})
    assert rows_of_every_table() == before


def test_another_mail_by_json_is_the_same_act_and_the_same_answer_for_any_handle(world: World) -> None:
    again, handle = "/api/v1/subscriptions/again", world.sign_up(ANNE).get_json()["registration"]
    world.clock.forward(minutes=15)
    for known in (handle, world.parts.links.new_handle(), "nothing"):
        answer = world.post(again, json={"registration": known})
        told = {"status": "pending_confirmation", "registration": known}
        assert (answer.status_code, answer.get_json()) == (202, told)
    assert len(world.mails(ANNE)) == 2
    for wrong in ({}, {"registration": 1}, {"registration": handle, "code": "x"}, []):
        assert world.post(again, json=wrong).status_code == 422
    world.clock.forward(hours=30)  # the code's time is over: the next mail has a visit of its own
    fresh = world.post(again, json={"registration": handle}).get_json()["registration"]
    assert fresh != handle
    sent = {"registration": fresh, "code": code_in(world.mails(ANNE)[-1])}
    assert world.post("/api/v1/confirmations", json=sent).status_code == 200
