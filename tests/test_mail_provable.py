"""Mails stay provable while texts, times and rules of greeting change, and no proof is a key (A6 of 0.4.0)."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions import languages
from subscriptions.domain import fields
from subscriptions.domain.codes import for_reading
from subscriptions.mail import compose, phrases
from subscriptions.mail.rebuild import as_sent, redacted
from subscriptions.parts import current_parts
from subscriptions.store.engine import reading
from subscriptions.store.models import Evidence
from tests.builders import ANNE, LISTS, OFFERS, Movable, World, link_in, parse_mail, text_of, through
from tests.support.relay import Relay
from tests.support.sql import rows
from tests.upgraded import Upgraded

TOLD = {"name": "Anne Maria Josefa Theresia Example", "locale": "de"}
LONG_AGO = ("confirm", "welcome", "already_subscribed", "preferences", "address_changed")


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Another version: no text, time or greeting is what it was."""

    def change() -> None:
        for module, name in (
            (phrases, "_said"), (phrases, "greeting"), (compose, "words"), (languages, "words"),
            (compose, "greeted_by"), (fields, "greeted_by"),
        ):  # fmt: skip
            monkeypatch.setattr(module, name, lambda *about: "another version")

    return change


def live(world: World, relay: Relay, address: str = ANNE) -> None:
    """A mail of each kind but the last, which nobody is left to be shown."""
    world.sign_up(address, OFFERS, **TOLD)
    world.deliver()
    world.clock.forward(minutes=15)
    world.post(link_in(relay.mails[0].message, "confirm"))
    world.deliver()
    world.sign_up(address, OFFERS)
    world.deliver()
    world.clock.forward(days=1)
    world.post("/preferences", data={"email": address})
    world.deliver()


def mailed() -> list[Evidence]:
    with reading() as session:
        return session.query(Evidence).filter_by(fact="mailed").order_by(Evidence.id).all()


def made(app: Flask, how: Callable[..., bytes | None]) -> dict[int, bytes | None]:
    with app.app_context(), reading() as session:
        return {one.id: how(session, one.id, current_parts().links) for one in mailed()}


def test_what_is_shown_has_a_hash_for_each_token_and_code_and_is_proven_by_its_own_hash(
    world: World, relay: Relay
) -> None:
    live(world, relay)
    proofs = mailed()
    assert [one.details["mail"] for one in proofs] == ["confirm", "welcome", "already_subscribed", "preferences"]
    for proof, mail, shown in zip(proofs, relay.mails, made(world.app, redacted).values(), strict=True):
        assert shown is not None and shown != mail.raw
        assert hashlib.sha256(shown).hexdigest() == proof.details["redacted_sha256"]
        assert shown.count(b"Theresia") == mail.raw.count(b"Theresia") == 2
        for purpose in ("confirm", "not-me", "unsubscribe", "my-data"):
            if f"/{purpose}/".encode() in mail.raw:
                token = link_in(mail.message, purpose).rpartition("/")[2]
                assert hashlib.sha256(token.encode()).hexdigest().encode() in shown
                assert token[-40:].encode() not in shown.replace(b"=\r\n", b"")


def test_the_code_cannot_be_found_by_trying_all_codes_on_its_hash(world: World, relay: Relay) -> None:
    world.sign_up()
    world.deliver()
    [row], [proof] = world.registrations(), mailed()
    code = for_reading(world.parts.links.codes.code(row.ref))
    token = link_in(relay.mails[0].message, "confirm").rpartition("/")[2]
    plain, kept = code.replace("-", ""), proof.details["hashes"]["code"]
    assert kept not in {hashlib.sha256(text.encode()).hexdigest() for text in (code, plain, code.lower())}
    assert kept == hashlib.sha256(f"{code} {token}".encode()).hexdigest()
    assert code not in str(proof.details) and token not in str(proof.details)


def test_the_values_in_the_evidence_name_nobody_and_open_nothing(world: World, relay: Relay) -> None:
    live(world, relay)
    times = {"registered_at", "confirm_by", "confirmed_at", "owed_at"}
    for proof in mailed():
        values = proof.details["values"]
        assert values["greeting"] == "Guten Tag %(name).26s,"
        assert values.keys() <= times | {"greeting"}
        assert not [one for one in (ANNE, "Anne", "Theresia") if one in json.dumps(proof.details)]


def test_a_mail_of_this_version_is_made_again_by_any_later_one(
    world: World, relay: Relay, changed: Callable[[], None]
) -> None:
    live(world, relay)
    shown = made(world.app, redacted)
    changed()
    assert made(world.app, redacted) == shown and None not in shown.values()
    assert [*made(world.app, as_sent).values()] == [mail.raw for mail in relay.mails]


def test_a_mail_to_one_spelling_of_a_mailbox_is_made_again(world: World, relay: Relay) -> None:
    live(world, relay, "anne+news@example.org")
    assert [*made(world.app, as_sent).values()] == [mail.raw for mail in relay.mails]


def test_what_is_shown_needs_no_key(make_app: Callable[..., Flask], relay: Relay, clock: Movable) -> None:
    with through(relay, make_app, clock) as world:
        world.sign_up()
        world.deliver()
        shown, settings = made(world.app, redacted), world.parts.settings
    server = replace(settings.server, secret_keys=("another key of the tests",))
    rotated = make_app(lists=LISTS, mail=settings.mail, server=server)
    assert made(rotated, redacted) == shown and None not in shown.values()
    assert [*made(rotated, as_sent).values()] == [None]


def test_mails_of_0_2_0_are_made_again_in_four_languages_whatever_has_changed_since(
    left_url: str, upgraded: Upgraded, changed: Callable[[], None]
) -> None:
    gone = "SELECT {}id FROM {} WHERE address IS NULL"
    app = upgraded()
    tables = ("", "registrations"), ("-", "subscriptions")
    erased = {id_ for sign, table in tables for (id_,) in rows(left_url, gone.format(sign, table))}
    changed()
    with app.app_context():
        kept = [one for one in mailed() if not {one.registration_id, -(one.subscription_id or 0)} & erased]
        sent, shown = made(app, as_sent), made(app, redacted)
    assert {one.details["locale"] for one in kept} == {"en", "de", "fr", "es"}
    assert {one.details["mail"] for one in kept} == set(LONG_AGO)
    for proof in kept:
        octets = sent[proof.id]
        assert octets is not None, proof.details
        assert hashlib.sha256(octets).hexdigest() == proof.details["sha256"]
        assert shown[proof.id] is not None and not tokens(octets) & tokens(shown[proof.id])


def tokens(octets: bytes | None) -> set[str]:
    """What opens something in a mail; in its redacted form, the hashes of it."""
    text = text_of(parse_mail(octets or b""))
    found = {*re.findall(r"^http\S+/(?:confirm|not-me|unsubscribe|my-data)/(\S+)$", text, re.M)}
    return found | {*re.findall(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", text)}
