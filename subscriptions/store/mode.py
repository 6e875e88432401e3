"""Whether a database is for trying things out or live, and what goes when the one becomes the other."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, exists, func, literal, or_, select, update
from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.evidence import Fact
from subscriptions.store import audit, meta, sealing, seals, vacuum
from subscriptions.store.engine import BLIND
from subscriptions.store.models import (
    Account,
    Address,
    Captured,
    Evidence,
    Hold,
    Invitation,
    Job,
    Meta,
    Owed,
    Policy,
    Registration,
    Request,
    Subscription,
    Suppression,
    Token,
    db,
)

KEPT = "250 kept in the mailbox"  # what the mailbox of the try-out mode answers, where a relay would
CLOCK_AHEAD, TOUR = "clock_ahead", "tour"  # the time machine, and the walk through the law
STAYS = frozenset({"lists", "wordings", "policies", "tokens", "jobs", "meta", "audit", "accounts", "account_links"})
_NAME = "mode"
_OF_PEOPLE = (Registration, Subscription, Suppression, Address, Request, Hold, Invitation)
# rows of meta: what the breaker has made of sign-ups, and what is noted of the time that the time machine has made
_OF_SIGN_UPS = ("openings", "alarm_mailed_at", "last_problem", "counted_since", sealing.BOUND, seals.TOLD,
                "policy looks")  # fmt: skip


class Mode(StrEnum):
    TRY_OUT = "try-out"
    LIVE = "live"
    FOUND_LIVE = "found live"  # by what stands in it, since it is older than this note

    @property
    def is_live(self) -> bool:
        return self is not Mode.TRY_OUT


def noted(session: Session) -> Mode | None:
    found = meta.get(session, _NAME)
    return Mode(found) if found else None


def note(session: Session, mode: Mode) -> None:
    meta.put(session, _NAME, mode.value)


def found(session: Session) -> Mode | None:
    """What a database of before 0.4.0 has been used for, by the answers that its mails have got."""
    reply = Evidence.details["reply"].as_string()
    mailed = select(literal(1)).where(Evidence.fact == Fact.MAILED)
    if session.scalar(mailed.where(reply != KEPT).limit(1)):
        return Mode.FOUND_LIVE
    tried = exists().select_from(Captured), mailed.where(reply == KEPT).exists()
    return Mode.TRY_OUT if session.scalar(select(or_(*tried))) or clock_ahead(session) else None


def clock_ahead(session: Session) -> float:
    """How far, in seconds, the time machine has put the clock."""
    return float(meta.get(session, CLOCK_AHEAD) or 0)


def has_people(session: Session) -> bool:
    return bool(session.scalar(select(or_(*(exists().select_from(table) for table in _OF_PEOPLE)))))


def has_links_of_before(session: Session, at: datetime) -> bool:
    """Whether somebody is in it who had a mail by then, whose links still say something."""
    here = (exists().where(table.registered_at <= at) for table in (Registration, Subscription))
    return bool(session.scalar(select(or_(*here))))


def counts(session: Session) -> Mapping[str, int]:
    """What `clear` would remove, by a name for the operator."""
    keys = (select(table.key).where(table.key.is_not(None)) for table in _OF_PEOPLE)
    persons = select(func.count()).select_from(next(keys).union(*keys).subquery())
    tables = {"sign-ups": Registration, "subscriptions": Subscription, "suppressions": Suppression,
              "requests": Request, "holds": Hold, "invitations": Invitation,
              "mails in the mailbox": Captured, "mails that wait": Owed, "rows of evidence": Evidence}  # fmt: skip
    rows = {name: session.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()}
    return {"persons": session.scalar(persons) or 0, **rows}


def clear(session: Session, now: datetime) -> None:
    """Remove the persons that were made up, with all that hangs on them, and every trace of a clock that was ahead."""
    for table in reversed(db.metadata.sorted_tables):
        if table.name not in STAYS and table.name != "evidence":  # which goes with what it is about
            session.execute(delete(table))
    session.execute(delete(Meta).where(Meta.name.in_([CLOCK_AHEAD, TOUR, *_OF_SIGN_UPS])), execution_options=BLIND)
    session.execute(delete(Policy).where(Policy.valid_from > now), execution_options=BLIND)
    anew = {"slot": 0, "count": 0, "ended_at": None, "lease_until": None, "error": None, "pause_until": None}
    session.execute(update(Job).values(**anew), execution_options=BLIND)
    for column in (Token.made_at, Token.used_at, Token.revoked_at, Account.made_at, Account.signed_in_at):
        session.execute(update(column.class_).where(column > now).values({column.key: now}), execution_options=BLIND)
    told = {"since": clock.text(now), "looked": clock.text(now), "was": {}}  # to who is mailed numbers: none so far
    session.execute(update(Account).where(Account.told.is_not(None)).values(told=told), execution_options=BLIND)
    audit.forget_unknown(session)
    vacuum.due(session)
