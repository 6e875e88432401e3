"""Imports: rows become subscriptions or wait to be invited, in their turn and once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.actions import Refused
from subscriptions.domain.evidence import Channel, Fact, complete
from subscriptions.domain.figures import JOINED, day_of
from subscriptions.domain.imports import GOOD, NO_EMAIL, TIMES, Outcome, Person, Stage, Way
from subscriptions.domain.lifecycle import Event, subscription_step
from subscriptions.domain.policy import Policy
from subscriptions.domain.texts import marked
from subscriptions.store import (
    addresses,
    audit,
    counters,
    imports,
    jobs,
    signups,
)
from subscriptions.store.audit import Act
from subscriptions.store.counters import Daily
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Evidence, Import, ImportBatch, Invitation
from subscriptions.store.trips import trip

BATCH = 200  # rows of one transaction, so few that no sign-up waits long for them
NOT_NOW = marked("This import is at another stage by now: look at it again. Nothing was changed.")


@repeated
def begin(new: Import, act: Act) -> int:
    """Keep what is to be looked at; its id."""
    with transaction() as session:
        session.add(new)
        session.flush()
        audit.write(session, act)
        return new.id


@repeated
def drop(id_: int) -> bool:
    """What was only looked at; False where it has begun."""
    with transaction() as session:
        return imports.drop_looked(session, id_)


@repeated
def read_as(id_: int, columns: list[list[str]]) -> None:
    """How the columns are read from now on. Raises Refused."""
    with transaction() as session:
        at(session, id_, Stage.LOOKED).columns = columns


@repeated
def start(id_: int, way: Way, columns: list[list[str]], document: str, per_day: int, act: Act) -> None:
    """Begin what was looked at, in the way that was chosen. Raises Refused."""
    with transaction() as session:
        row = at(session, id_, Stage.LOOKED)
        if imports.same(session, row, way, columns, document):
            raise Refused(marked("This file has been imported into this list before: it would add nobody."))
        if not any(name == "email" for name, _ in columns):
            raise Refused(NO_EMAIL)
        if way is Way.EVIDENCE and any(name in TIMES and not order for name, order in columns):
            raise Refused(marked("Please say of each time which comes first, the day or the month."))
        row.stage, row.way, row.columns, row.document, row.per_day = Stage.READING, way, columns, document, per_day
        row.begun_at = act.at
        audit.write(session, act)


def at(session: Session, id_: int, *stages: Stage) -> Import:
    row = imports.find(session, id_)
    if row is None or row.stage not in stages:
        raise Refused(NOT_NOW)
    return row


# Row by row


@repeated
def take_rows(id_: int, done: int, rows: Sequence[Person | Outcome], now: datetime, policy: Policy) -> bool:
    """What becomes of these, behind the `done` first; False where somebody else has done them, or it was undone."""
    with transaction() as session:
        row = imports.find(session, id_)
        if row is None or row.stage is not Stage.READING or row.rows != done:
            return False
        people: dict[bytes, Person] = {}
        for one in rows:
            if not isinstance(one, Outcome):
                people.setdefault(one.key, one)
        mailboxes = {key: one.mailbox for key, one in people.items()}
        said = against(session, row.list_id, mailboxes, now)
        if row.way is Way.EVIDENCE:  # who has only been asked is confirmed by it as well
            said = {key: why for key, why in said.items() if why is not Outcome.ASKED}
        else:
            said |= dict.fromkeys(imports.asked_among(session, people, row.list_id), Outcome.ASKED)
        taken = [one for key, one in people.items() if key not in said]
        opened = _open(session, row, taken, now, policy) if row.way is Way.EVIDENCE else _wait(session, row, taken)
        good = GOOD[row.way or Way.INVITE]
        outcomes = [one if isinstance(one, Outcome) else said.get(one.key, good) if people[one.key] is one
                    else Outcome.KNOWN for one in rows]  # fmt: skip
        session.add(ImportBatch(import_id=id_, first=done, outcomes="".join(outcomes), opened=opened))
        row.rows, row.counts = done + len(rows), dict(Counter(row.counts) + Counter(outcomes))
        jobs.note(session, "imports", now, len(rows))  # a long run is at work, and not late
        with trip(session) as out:
            addresses.forget(out, sorted({one for pair in mailboxes.items() for one in pair if one}))
        return True


def against(
    session: Session, list_id: int, people: Mapping[bytes, bytes | None], now: datetime
) -> dict[bytes, Outcome]:  # fmt: skip
    """What stands against each of these, by key and mailbox, now that nobody else can change it."""
    keys = sorted({one for pair in people.items() for one in pair if one})
    if not keys:
        return {}
    with trip(session) as out:
        addresses.lock_and_count(out, dict.fromkeys(keys, 0))
        later = signups.see(out, keys, now)
    seen, gone, found = later(), imports.gone_among(session, people, list_id), dict[bytes, Outcome]()
    for key, mailbox in people.items():
        names = [one for one in (key, mailbox) if one]
        if any({None, list_id} & seen.suppressed.get(one, set()) for one in names):
            found[key] = Outcome.SUPPRESSED
        elif (key, list_id) in seen.open:
            found[key] = Outcome.KNOWN
        elif key in gone:
            found[key] = Outcome.LEFT
        elif any((one, list_id) in seen.asked for one in names):
            found[key] = Outcome.ASKED
    return found


def _open(session: Session, row: Import, taken: Sequence[Person], now: datetime, policy: Policy) -> list[int]:
    """Subscriptions, confirmed as imported; their IPs only as long as those of who confirms here are kept."""
    state, facts = subscription_step(None, Event.IMPORT).to, []
    ends = [policy.ip_until(one.confirmed_at) if one.confirmed_at and one.ips else now for one in taken]
    opened = imports.open_subscriptions(session, [
        {"list_id": row.list_id, "key": one.key, "state": state, "address": one.address.mailed, "name": one.name,
         "fields": one.fields, "locale": one.locale, "registered_at": one.registered_at,
         "confirmed_at": one.confirmed_at, "ip_until": end if end > now else None, "mailbox": one.mailbox}
        for one, end in zip(taken, ends, strict=True)
    ])  # fmt: skip
    for one, end in zip(taken, ends, strict=True):
        said = {"source": one.source, "file_sha256": row.sha256, "row": one.row, "document": one.document or None,
                "registered_at": str(one.registered_at), "confirmed_at": str(one.confirmed_at)}  # fmt: skip
        about = {"subscription_id": opened[one.key], "fact": Fact.IMPORTED, "at": now, "channel": Channel.IMPORT,
                 "ip_source": "import" if one.ips else None, "details": complete(Fact.IMPORTED, said)}  # fmt: skip
        facts += [about | {"ip": ip} for ip in ({*one.ips.values()} if end > now else [None])]
    imports.add_all(session, Evidence, facts)
    count(session, row.list_id, now, len(taken))
    return [*opened.values()]


def count(session: Session, list_id: int, now: datetime, number: int) -> None:
    counters.add(session, dict.fromkeys((Daily(list_id, day_of(now), JOINED), Daily(list_id, "", JOINED)), number))


def _wait(session: Session, row: Import, taken: Sequence[Person]) -> list[int]:
    imports.add_all(session, Invitation, [
        {"import_id": row.id, "list_id": row.list_id, "key": one.key, "row": one.row, "address": one.address.typed,
         "name": one.name, "fields": one.fields, "locale": one.locale} for one in taken
    ])  # fmt: skip
    return []


@repeated
def end_reading(id_: int, now: datetime) -> None:
    """After the last row: what was proved is done, what was not is invited from now on."""
    with transaction() as session:
        row = imports.find(session, id_)
        if row and row.stage is Stage.READING:
            row.stage = Stage.INVITING if row.way is Way.INVITE else Stage.DONE
            row.counted_from, row.ended_at = now, None if row.way is Way.INVITE else now


def forget_old(now: datetime) -> Sequence[int]:
    with transaction() as session:
        return imports.forget_old(session, now)
