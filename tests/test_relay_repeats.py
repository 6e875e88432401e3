"""What a relay repeats of an address, in shapes of its own, is kept nowhere: evidence outlives an erasure."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.domain.refusals import redacted
from subscriptions.store.engine import reading
from subscriptions.store.models import Job
from tests.builders import Movable, World, link_in, owed, through
from tests.preferences import key
from tests.support.cases import each
from tests.support.faults import Stage
from tests.support.relay import Relay

JANE, SENDER = "Jane.Private+x@xn--bcher-kva.example", "news@example.com"
A = "<address>"
SHAPES = [
    (f"550 5.1.1 <{JANE}>: nobody", f"550 5.1.1 <{A}>: nobody"),
    (f"550-5.1.1 {JANE.upper()}. Bye", f"550-5.1.1 {A} Bye"),
    ("550 5.1.10 Recipient jane.private not found", f"550 5.1.10 Recipient {A} not found"),
    ("550 user JANE.PRIVATE+X at BÜCHER", f"550 user {A} at BÜCHER"),
    ("550 JANE.PRIVATE@bücher.example, 'Jane.Private@bücher.example'", f"550 {A}, {A}"),
    ("250 queued for jane.private=xn--bcher-kva.example@forward.example", f"250 queued for {A}"),
    ("550 rcpt=jane.private+x;mbox:jane.private", f"550 rcpt={A};mbox:{A}"),
    ("550 j.private2@elsewhere.example is over quota", f"550 {A} is over quota"),
    ("550 jane.private%xn--bcher-kva.example", f"550 {A}%xn--bcher-kva.example"),
    (f"553 5.7.1 <{SENDER}>: sender rejected", f"553 5.7.1 <{SENDER}>: sender rejected"),
    ("550 5.1.1 mary.jane.privately is nobody", "550 5.1.1 mary.jane.privately is nobody"),
    ("250 2.0.0 Ok: queued as 4F2A", "250 2.0.0 Ok: queued as 4F2A"),
]


@each(("said", "kept"), SHAPES)
def test_a_reply_is_kept_without_the_address_in_whatever_shape_it_stands(said: str, kept: str) -> None:
    assert redacted(said, JANE, SENDER) == kept
    assert redacted(f"RCPT TO: {said}", JANE, SENDER) == f"RCPT TO: {kept}"


def test_the_status_of_a_reply_is_never_taken_for_a_name() -> None:
    assert (
        redacted("RCPT TO: 550 5.1.1 user 550 and 5", "550+5@example.org", SENDER)
        == f"RCPT TO: 550 5.1.1 user {A} and 5"
    )
    assert redacted("RCPT TO: 550 5.1.1 5", "5@example.org", SENDER) == f"RCPT TO: 550 5.1.1 {A}"


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


ON_ITS_WAY: list[tuple[Stage, str]] = [
    ("rcpt", "550 5.1.10 Recipient jane.private not found; user JANE.PRIVATE at EXAMPLE.ORG"),
    ("rcpt", "451 4.2.1 jane.private is asleep"),
    ("mail", "550 5.7.1 no mail to jane.private@other.example"),
    ("rcpt", "550 5.1.8 not from you to jane.private"),
    ("data", "421 4.3.0 jane.private@example.org"),
    ("end", "554 5.6.0 <jane.private@example.org>"),
]


@pytest.mark.parametrize(("stage", "act"), ON_ITS_WAY)
def test_no_refusal_leaves_the_address_in_what_is_kept_or_logged(
    world: World, relay: Relay, caplog: pytest.LogCaptureFixture, stage: Stage, act: str
) -> None:
    relay.behave(stage, act)
    world.sign_up("Jane.Private+x@example.org")
    world.deliver()
    with reading() as session:
        job = session.get(Job, "deliver")
        kept = [str(job and job.error), *(str(one.note) for one in owed())]
    kept += [str(row.details) for row in world.evidence()] + [str(record.__dict__) for record in caplog.records]
    assert "<address>" in "".join(kept)
    assert "jane.private" not in "".join(kept).lower()


def test_an_erasure_leaves_no_name_that_a_relay_has_repeated(world: World, relay: Relay) -> None:
    address = "Jane.Private+x@example.org"
    relay.behave("end", "250 2.0.0 queued for user jane.private at example.org <jane.private@example.org>", keep=True)
    world.sign_up(address)
    world.deliver()
    assert world.post(link_in(relay.mails[-1].message, "confirm")).status_code == 200
    world.clock.forward(days=1)
    jane, policy = key(world, address), world.parts.policy
    erase.ask(jane, world.clock.now(), policy, "me")
    world.deliver()
    erase.finish(jane, world.clock.now(), policy)
    kept = "".join(str(row.details) for row in world.evidence())
    assert "queued for user <address>" in kept and "jane" not in kept.lower()
