"""The audit: what operators, by commands, and programs, by tokens, do about persons and secrets. It names nobody."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.store.engine import BLIND, repeated, transaction
from subscriptions.store.models import (
    ActorKind,
    Address,
    Audit,
    Hold,
    Read,
    Registration,
    Subscription,
    Suppression,
)
from subscriptions.store.trips import trip

HOUR = timedelta(hours=1)
READ = "read"  # the act of a token that looks again and again; its rows are written when their hour is over


@dataclass(frozen=True, slots=True)
class Act:
    """One act, about a person (the key of the address) or about so many."""

    at: datetime
    actor_kind: ActorKind
    actor: str
    act: str
    about: bytes | None = None
    count: int | None = None
    reason: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def of(self, count: int, **details: object) -> "Act":
        """The same, now that it is known of how many."""
        return replace(self, count=count, details={**self.details, **details})


def write(session: Session, act: Act | None) -> None:
    """In the transaction of the act; none: nobody acts who has to account for it."""
    if act is not None:
        session.add(Audit(**asdict(act)))
        session.flush()


@repeated
def note(act: Act) -> None:
    """In a transaction of its own, before what only reads."""
    with transaction() as session:
        write(session, act)


def find(
    session: Session, *, since: datetime | None = None, until: datetime | None = None, act: str | None = None,
    about: bytes | None = None,
) -> Iterator[Audit]:  # fmt: skip
    """The acts of that time (its end not included), by name or the words that it begins with, about that key."""
    which: list[ColumnElement[bool]] = []
    if since:
        which.append(Audit.at >= since)
    if until:
        which.append(Audit.at < until)
    if act:
        which.append(or_(Audit.act == act, Audit.act.startswith(f"{act} ", autoescape=True)))
    if about:
        which.append(Audit.about == about)
    yield from session.scalars(select(Audit).where(*which).order_by(Audit.id))
    if act in (None, READ) and not about:
        running = session.scalars(select(Read).order_by(Read.hour, Read.token, Read.slug))
        yield from (_row(one.hour, one.token, one.slug, one.count) for one in running
                    if (not since or one.hour >= since) and (not until or one.hour < until))  # fmt: skip


def newest(
    session: Session, at_most: int, before: int | None = None, about: bytes | None = None
) -> Sequence[Audit]:  # fmt: skip
    """The newest acts, or those noted before the act of that id; about that key."""
    which = [*([Audit.id < before] if before else []), *([Audit.about == about] if about else [])]
    return session.scalars(select(Audit).where(*which).order_by(Audit.id.desc()).limit(at_most)).all()


Reads = Mapping[tuple[str, str, datetime], int]  # by token, slug and hour


def hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def add_reads(session: Session, reads: Reads) -> None:
    """Add what one process has counted."""
    if reads:
        columns = {"token": "text", "slug": "text", "hour": "timestamptz", "count": "int"}
        rows = sorted((*key, count) for key, count in reads.items())
        with trip(session) as out:
            added = "ON CONFLICT (token, slug, hour) DO UPDATE SET count = r.count + excluded.count"
            out.insert("reads AS r", columns, rows, added)


def close_hours(session: Session, now: datetime) -> None:
    """What was read in hours that are over moves into the audit, which nothing changes any more."""
    over = delete(Read).where(Read.hour <= now - HOUR).returning(Read.hour, Read.token, Read.slug, Read.count)
    session.add_all(_row(*row) for row in sorted(session.execute(over)))


def _row(hour: datetime, token: str, slug: str, count: int) -> Audit:
    details = {"list": slug} if slug else {}
    return Audit(at=hour, actor_kind=ActorKind.TOKEN, actor=token, act=READ, count=count, details=details)


def is_about(session: Session, key: bytes) -> bool:
    """Whether a row names this key."""
    return bool(session.scalar(select(exists().where(Audit.about == key))))


def forget_unknown(session: Session, *, key: bytes | None = None, at_most: int | None = None) -> int:
    """End the person's part of rows about those of whom nothing is known any more (or of one); how many rows."""
    tables = Registration, Subscription, Suppression, Address, Hold
    known = [exists().where(table.key == Audit.about) for table in tables]
    which = select(Audit.id).where(Audit.about.is_not(None) if key is None else Audit.about == key, ~or_(*known))
    ended = update(Audit).where(Audit.id.in_(which.limit(at_most))).values(about=None, reason=None).returning(Audit.id)
    return len(session.execute(ended, execution_options=BLIND).all())
