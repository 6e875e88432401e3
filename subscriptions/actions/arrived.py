"""What a message causes, and the memory of it: one transaction, once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.arrivals import ACTED, Outcome
from subscriptions.store import arrivals, audit, counters, meta, vacuum
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading, repeated, transaction
from subscriptions.store.models import LetterToRead

KEPT = "letter kept"


class Full(Exception):
    """So many letters wait for a human that no further one is kept: the mail server has to."""


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a message is known when it comes again: its bytes, or its Message-ID by keyed hash."""

    sha256: bytes
    message_key: bytes | None


@repeated
def once(mark: Mark, sort: str, now: datetime, act: Callable[[Session], Outcome]) -> Outcome:
    """Act on a message unless that was done before. `act` runs in this transaction, and again where that is repeated.

    What it does not act on is not remembered.
    """
    with transaction() as session:
        outcome = Outcome.REPEATED
        if arrivals.first(session, mark.sha256, mark.message_key, now):
            outcome = act(session)
            arrivals.note(session, mark.sha256, f"{sort} {outcome}" if outcome in ACTED else "")
        counters.add(session, {f"arrived_{sort}_{outcome}": 1})
        return outcome


@repeated
def keep(mark: Mark, letter: LetterToRead, now: datetime) -> Outcome:
    """Keep one for a human, unless it is kept already or was acted on. Raises Full."""
    with transaction() as session:
        if not arrivals.first(session, mark.sha256, mark.message_key, now):
            return Outcome.REPEATED
        if arrivals.is_full(session):
            raise Full("too many letters are waiting at the desk: please deal with them under Mail to read")
        session.add(letter)
        arrivals.note(session, mark.sha256, KEPT)
        return Outcome.UNCLEAR


def letters(*, to_forward: bool = False) -> Sequence[LetterToRead]:
    """Those that wait, the oldest first, without what is in them."""
    with reading() as session:
        return arrivals.letters(session, to_forward=to_forward)


def known(message_keys: Sequence[bytes]) -> set[bytes]:
    """Those of these that were acted on."""
    with reading() as session:
        return arrivals.known(session, message_keys)


def letter(id_: int) -> LetterToRead | None:
    with reading() as session:
        return arrivals.letter(session, id_)


@repeated
def settle(id_: int, act: Act | None = None, *, keep: bool = False) -> bool:
    """One that was dealt with goes; or it is to be kept after all, for the desk. Whether it was still there."""
    with transaction() as session:
        there = arrivals.keep_here(session, id_) if keep else arrivals.remove(session, id_)
        if there:
            audit.write(session, act)
            vacuum.due(session)
        return there


def noted(name: str) -> str:
    """What a look at the mailbox has left for the next."""
    with reading() as session:
        return meta.get(session, name) or ""


@repeated
def note(name: str, value: str) -> None:
    with transaction() as session:
        meta.put(session, name, value)
