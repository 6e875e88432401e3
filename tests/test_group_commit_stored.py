"""Group commit of sign-ups: what is in the database is what each visitor is told."""

from sqlalchemy.exc import IntegrityError

from subscriptions.actions.gate import Refusal
from subscriptions.actions.group import Waiting
from subscriptions.actions.subscribe import ListChoice, Origin, SignUp
from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.domain.evidence import Channel
from tests.builders import World
from tests.support.cases import each


def ask(world: World, address: str, ref: bytes) -> SignUp:
    parsed, catalogue = parse(address), world.parts.catalogue
    row = catalogue.configured[0]
    lists = (ListChoice(row, catalogue.wordings[row.wording_id]),)
    key = world.parts.links.key(parsed.folded)
    return SignUp(
        parsed, lists, None, "en", ref=ref, key=key, channel=Channel.API,
        origin=Origin("203.0.113.7", "peer", None),
    )  # fmt: skip


def test_in_the_database_too_the_fault_of_one_is_the_fault_of_one(world: World) -> None:
    group = world.parts.sign_ups
    group.submit(ask(world, "anne@example.org", bytes(16)))
    asks = [ask(world, f"visitor-{n}@example.org", bytes(15) + bytes([n])) for n in range(3)]  # the first collides
    batch = [Waiting[SignUp, Refusal | None](one, Clock.ticks() + 60, lambda _: None) for one in asks]
    group._run(batch)
    assert [type(one.error) for one in batch] == [IntegrityError, type(None), type(None)]
    assert sorted(str(one.address) for one in world.registrations()) == [
        "anne@example.org", "visitor-1@example.org", "visitor-2@example.org",
    ]  # fmt: skip


@each("count", [1, 3])
def test_who_is_signed_up_is_told_so_although_the_sender_cannot_be_woken(world: World, count: int) -> None:
    woken = []

    def wake() -> None:
        woken.append(1)
        raise RuntimeError("can't start new thread")

    world.parts.wake_sender = wake
    asks = [ask(world, f"visitor-{count}-{n}@example.org", bytes([count, n]) * 8) for n in range(count)]
    batch = [Waiting[SignUp, Refusal | None](one, Clock.ticks() + 60, lambda _: None) for one in asks]
    world.parts.sign_ups._run(batch)
    assert [waiting.error for waiting in batch] == [None] * count
    assert woken == [1]
