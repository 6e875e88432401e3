"""The mail as sent stays provable: hashes in the evidence, and the very bytes made again from them (E-03, E-04)."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.domain.address import parse
from subscriptions.mail.compiled_mails import Letter
from subscriptions.mail.rebuild import as_sent, redacted
from subscriptions.settings import Server
from subscriptions.store import compiled_mails
from subscriptions.store.engine import reading
from subscriptions.store.models import Evidence
from subscriptions.store.models import Letter as KeptLetter
from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, link_in, through
from tests.support.cases import crossed
from tests.support.relay import Relay

OLD, NEW = "an old key of the tests", "a new key of the tests"
NAMES = ["Anne", "Jürgen Größe", "http://evil.example", None]


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


@pytest.fixture
def with_keys(relay: Relay, make_app: Callable[..., Flask], clock: Movable, tmp_path: Path) -> Callable[..., Any]:
    """The same service with other secret keys, newest first."""

    def made(*keys: str, **more: Any) -> Any:
        server = Server(data_dir=str(tmp_path), pepper="a pepper of the tests", secret_keys=keys)
        return through(relay, partial(make_app, server=replace(server, **more)), clock)

    return made


def send(world: World, address: str = ANNE, **fields: Any) -> None:
    world.sign_up(address, **fields)
    world.deliver()


def mailed(world: World) -> list[Evidence]:
    return [one for one in world.evidence() if one.fact == "mailed"]


def made_again(world: World) -> list[bytes | None]:
    with reading() as session:
        return [as_sent(session, one.id, world.parts.links) for one in mailed(world)]


def arrived(relay: Relay) -> list[bytes]:
    return [mail.raw for mail in relay.mails]


def test_the_evidence_names_the_mail_by_its_id_and_the_hash_of_its_bytes(world: World, relay: Relay) -> None:
    send(world)
    details, mail = mailed(world)[0].details, relay.mails[0]
    assert details["mail"] == "confirm"
    assert details["message_id"] == mail.message["Message-ID"]
    assert details["date"] == mail.message["Date"]
    assert details["sha256"] == hashlib.sha256(mail.raw).hexdigest()


def test_the_evidence_keeps_what_the_relay_said_without_the_address(world: World, relay: Relay) -> None:
    relay.behave("end", f"250 2.0.0 <{ANNE.upper()}> queued as 4F2A", keep=True)
    send(world)
    assert mailed(world)[0].details["reply"] == "250 2.0.0 <<address>> queued as 4F2A"


def test_neither_evidence_nor_letter_holds_a_link_or_a_person(world: World, relay: Relay) -> None:
    send(world, name="Anne Example")
    token = link_in(relay.mails[0].message, "confirm").rpartition("/")[2]
    with reading() as session:
        kept = str(mailed(world)[0].details) + str(session.query(KeptLetter.source).all())
    assert not [one for one in (token, ANNE, "Anne Example") if one in kept]


def test_a_letter_is_kept_once_for_all_its_mails(world: World) -> None:
    for number in range(5):
        send(world, f"reader{number}@example.org")
    assert world.count(KeptLetter) == 1
    assert len({one.details["template"] for one in mailed(world)}) == 1


def test_the_id_of_a_letter_is_the_hash_of_what_is_kept(world: World) -> None:
    send(world)
    name = mailed(world)[0].details["template"]
    with reading() as session:
        source = compiled_mails.source(session, name)
    assert source is not None
    assert Letter(source).id == name


@crossed(name=NAMES, address=[ANNE, "Foo.Bar@bücher.example", "jürgen@example.org"])
def test_the_very_bytes_can_be_made_again(world: World, relay: Relay, name: str | None, address: str) -> None:
    send(world, address, **({"name": name} if name else {}))
    assert made_again(world) == arrived(relay)


def test_every_mail_of_a_life_can_be_made_again(world: World, relay: Relay) -> None:
    send(world, slug=OFFERS)
    world.clock.forward(minutes=15, seconds=0.7)
    world.post(link_in(relay.mails[0].message, "confirm"))
    send(world, slug=OFFERS)
    world.clock.forward(days=400)
    assert [one.details["mail"] for one in mailed(world)] == ["confirm", "welcome", "already_subscribed"]
    assert made_again(world) == arrived(relay)


def test_a_mail_signed_a_second_after_its_date_can_be_made_again(world: World, relay: Relay) -> None:
    world.sign_up()
    composer = world.parts.sender.composer
    whole = composer.values

    def slowly(*about: Any) -> dict[str, str]:
        world.clock.forward(seconds=1)
        return whole(*about)

    composer.values = slowly  # type: ignore[method-assign, assignment]
    world.deliver()
    composer.values = whole  # type: ignore[method-assign]
    assert made_again(world) == arrived(relay)


def test_after_a_rotation_the_mail_can_be_made_again_with_the_old_key(
    with_keys: Callable[..., Any], relay: Relay
) -> None:
    with with_keys(OLD) as world:
        send(world)
    with with_keys(NEW, OLD) as world:
        send(world, "reader@example.org")
        assert made_again(world) == arrived(relay)


def test_without_the_key_that_signed_it_nothing_else_passes_for_the_mail(with_keys: Callable[..., Any]) -> None:
    with with_keys(OLD) as world:
        send(world)
    with with_keys(NEW) as world:
        assert made_again(world) == [None]


def test_a_changed_list_wording_and_sender_leave_the_old_mail_as_it_was(
    world: World, relay: Relay, make_app: Callable[..., Flask]
) -> None:
    send(world)
    changed = [replace(LISTS[0], name="Another name", wording="Yes, to all.", controller="Others")]
    with through(relay, make_app, world.clock, lists=changed, sender="Others <others@example.net>") as later:
        assert made_again(later) == arrived(relay)


def test_under_another_base_url_the_old_mail_can_be_made_again(with_keys: Callable[..., Any], relay: Relay) -> None:
    with with_keys(OLD) as world:
        send(world)
    with with_keys(OLD, base_url="https://moved.example.org") as world:
        assert made_again(world) == arrived(relay)


def test_nothing_can_be_made_again_of_an_erased_person(world: World, relay: Relay) -> None:
    send(world)
    world.post(link_in(relay.mails[0].message, "confirm"))
    key = world.parts.links.key(parse(ANNE).folded)
    erase.ask(key, world.clock.now(), world.parts.policy, "the operator")
    erase.finish(key, world.clock.now(), world.parts.policy)
    assert made_again(world) == [None]


def test_what_is_no_mail_cannot_be_made_again(world: World) -> None:
    world.sign_up(ANNE, NEWS)
    with reading() as session:
        for id_ in (world.evidence()[0].id, 999):
            assert as_sent(session, id_, world.parts.links) is redacted(session, id_, world.parts.links) is None
