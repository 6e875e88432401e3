"""Something of each class of data, and when it has to go."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from subscriptions.domain.evidence import Channel
from subscriptions.domain.imports import FILE_KEPT, REMEMBERED, Stage
from subscriptions.domain.requests import Outcome, RequestKind
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import (
    AccountLink,
    Address,
    Arrival,
    Captured,
    Counted,
    CountedKey,
    Evidence,
    Import,
    ImportBatch,
    Invitation,
    Letter,
    LetterToRead,
    Owed,
    Read,
    Registration,
    Request,
    Subscription,
    Suppression,
    Traffic,
    UsedOnce,
)
from tests.builders import ANNE, World
from tests.desk import OLA, invited


class Made(NamedTuple):
    """Something that is stored, and the moment at which it has to go."""

    table: type[Any]
    over_at: datetime
    which: tuple[Any, ...] = ()


def stored(*rows: object) -> None:
    with transaction() as session:
        session.add_all(rows)


def value(column: Any) -> datetime:
    with reading() as session:
        found: datetime = session.scalar(sa.select(sa.func.max(column)))
    return found


def waits(world: World) -> Made:
    world.sign_up(ANNE)
    world.deliver()
    return Made(Registration, value(Registration.purge_at))


def has_left(world: World) -> Made:
    world.subscribe(ANNE)
    world.post(world.leave_link(ANNE))
    return Made(Subscription, value(Subscription.proof_until))


def subscribes(world: World) -> Made:
    world.subscribe(ANNE)
    return Made(Evidence, value(Subscription.ip_until), (Evidence.ip.is_not(None),))


def one_clicks(world: World) -> Made:
    waits(world)
    world.post(world.not_me_link(ANNE), data={"List-Unsubscribe": "One-Click"})
    return Made(Suppression, value(Suppression.until))


def is_mailed(world: World) -> Made:
    waits(world)
    over_at = value(Address.last_mail_at) + world.parts.policy.times_kept
    return Made(Address, over_at, (Address.last_mail_at.is_not(None),))


def counted(world: World) -> Made:
    world.sign_up(ANNE)
    return Made(CountedKey, value(CountedKey.since) + timedelta(hours=1), (CountedKey.kind == Counted.SIGN_UPS,))


def an_hour(table: Callable[..., Any]) -> Callable[[World], Made]:
    """Of what says itself until when it is kept."""

    def make(world: World) -> Made:
        row, until = table(), world.clock.now() + timedelta(hours=1)
        row.until = until
        stored(row)
        return Made(type(row), until)

    return make


def minute(world: World) -> Made:
    at = world.clock.now().replace(second=0, microsecond=0)
    stored(Traffic(kind="list", name="x", minute=at, count=1))
    return Made(Traffic, at + timedelta(days=1), (Traffic.name == "x",))


def owed(world: World) -> Made:
    """To an address that stands nowhere else, while emails pause."""
    now = world.clock.now()
    later = now + timedelta(hours=1)
    times = {"owed_at": now, "due_at": now + timedelta(days=9), "drop_at": later}
    stored(Owed(mail="preferences", mid="x", tries=0, address=ANNE, **times))
    return Made(Owed, later)


def copied(world: World) -> Made:
    """The one class that goes by the real time, which no test moves: a minute short of a day, and a day old."""
    waits(world)
    with transaction() as session:
        almost = world.parts.clock.real_now() - timedelta(hours=23, minutes=59)
        session.execute(sa.update(Captured).values(real_at=almost))
    return Made(Captured, world.clock.now() + timedelta(seconds=1))


def letter(world: World) -> Made:
    stored(Letter(id="x", source=b"", made_at=world.clock.now()))
    return Made(Letter, world.clock.now() + timedelta(days=1))


def arrived(world: World) -> Made:
    stored(Arrival(sha256=secrets.token_bytes(32), at=world.clock.now(), what="wish done"))
    return Made(Arrival, world.clock.now() + timedelta(days=30))


def to_read(world: World) -> Made:
    stored(LetterToRead(at=world.clock.now(), sender=ANNE, subject="x", sha256=b"", octets=b"", size=0,
                        is_to_forward=False))  # fmt: skip
    return Made(LetterToRead, world.clock.now() + timedelta(days=30))


def read(world: World) -> Made:
    hour = world.clock.now().replace(minute=0, second=0, microsecond=0)
    stored(Read(token="x", slug="", hour=hour, count=1))
    return Made(Read, hour + timedelta(hours=1))


def link(world: World) -> Made:
    invited(world, OLA)
    return Made(AccountLink, value(AccountLink.until))


def answered(world: World) -> Made:
    now = world.clock.now()
    said = {"kind": RequestKind.ACCESS, "channel": Channel.LETTER, "words": "x", "locale": "en", "identity": "called"}
    done = {"received_at": now, "due_on": now.date(), "answered_at": now, "outcome": Outcome.ANSWERED}
    stored(Request(actor="", **said, **done))
    return Made(Request, datetime(now.year + world.parts.policy.keep_proof_years + 1, 1, 1, tzinfo=UTC))


def _imported(world: World, **more: Any) -> int:
    said = dict.fromkeys(("name", "sha256", "source", "document"), "x")
    known = {"list_id": 1, "stage": Stage.DONE, "columns": [], "per_day": 1, "rows": 0, "counts": {}}
    row = Import(**said, **known, made_at=world.clock.now(), begun_at=world.clock.now(), **more)
    stored(row)
    return row.id


def invited_once(world: World) -> Made:
    now, of = world.clock.now(), _imported(world)
    stored(Invitation(import_id=of, list_id=1, key=secrets.token_bytes(16), row=1, invited_at=now))
    return Made(Invitation, now + REMEMBERED)


def imported_file(world: World) -> Made:
    now = world.clock.now()
    stored(ImportBatch(import_id=_imported(world, ended_at=now), first=0, outcomes="+", opened=[1]))
    return Made(ImportBatch, now + FILE_KEPT)


MADE: dict[str, Callable[[World], Made]] = {
    "unconfirmed": waits, "proof": has_left, "ips": subscribes, "suppressions": one_clicks,
    "requests": answered, "budgets": is_mailed,
    "attempts": counted, "used": an_hour(lambda: UsedOnce(hash=secrets.token_bytes(16))), "traffic": minute,
    "outbox": owed, "copies": copied, "letters": letter, "arrivals": arrived, "letters_to_read": to_read,
    "invitations": invited_once, "import files": imported_file, "reads": read, "sessions": link,
}  # fmt: skip


def sweep(world: World) -> None:
    for job in ("block", "purge", "tidy", "imports"):
        world.run(job)
