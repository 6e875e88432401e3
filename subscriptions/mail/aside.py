"""What becomes of mails that the relay refuses for good: noted, and set aside where it refuses everybody.

Each function is part of a transaction of its caller's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from subscriptions.domain.address import parse, wire_form
from subscriptions.domain.budget import Budget
from subscriptions.domain.evidence import Channel, Fact
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import Rate
from subscriptions.domain.refusals import WITHIN, Refusal, means_everybody
from subscriptions.links import Links
from subscriptions.store import addresses, counters, evidence, jobs, outbox, refusals
from subscriptions.store.models import Owed
from subscriptions.store.outbox import Due
from subscriptions.store.trips import trip

EVERYBODY = "the relay refuses everybody"


class Refused(Protocol):
    """A taken mail that was refused: for whom, and what was said."""

    due: Due
    refused: str
    reply: str


@dataclass(frozen=True, slots=True)
class Aside:
    """`rates`: the budget of each mailbox."""

    links: Links
    rates: Sequence[Rate]

    def judge(self, session: Session, refused: Sequence[Refused], now: datetime) -> str | None:
        """Note refusals after which the relay has taken nothing; why the queue is to pause, where it is."""
        job = jobs.hold(session, "deliver")  # one judge at a time, over all processes
        pauses = bool(job and job.pause_until) and refusals.is_any(session, Refusal.ASIDE)
        for mail in refused:
            self._note(session, mail, now)
        session.flush()
        rows = refusals.noted(session, now - WITHIN)
        if not pauses and not means_everybody([(row.mailbox or b"", row.domain or "") for row in rows]):
            return None
        self._set_aside(session, rows, now)
        return f'{EVERYBODY}: it said "{refused[-1].reply}"; its emails are set aside until it takes one'

    def _note(self, session: Session, mail: Refused, now: datetime) -> None:
        row = refusals.find(session, mail.due.id)
        if row is None:  # erased meanwhile
            return
        row.due_at, row.taken_by = min(now + WITHIN, row.drop_at), None
        if row.refusal is Refusal.ASIDE:
            row.due_at = row.drop_at
        else:
            row.refusal = Refusal.NOTED
        row.mailbox, row.domain = self._of_whom(mail)
        row.refused_at, row.note, row.sent_before = now, mail.reply, refusals.sent_in_all(session)

    def _of_whom(self, mail: Refused) -> tuple[bytes, str]:
        """Mailbox and domain, by keyed hashes."""
        return mailbox_of(mail.due) or self.links.key(parse(mail.refused).folded), self.domain_of(mail.refused)

    def domain_of(self, address: str) -> str:
        """By keyed hash; whoever writes a domain in another way means the same."""
        return self.links.domain_name(wire_form(address).rpartition("@")[2].lower())

    def _set_aside(self, session: Session, rows: Sequence[Owed], now: datetime) -> None:
        budgets = self._budgets(session, map(_mailbox, rows))
        for row in rows:
            row.refusal, row.due_at = Refusal.ASIDE, row.drop_at
            if budget := budgets.get(_mailbox(row)):
                budget.give_back(row.owed_at)
            elif row.mailbox and row.mail == MailKind.PREFERENCES:  # asked for; it has a budget of its own
                addresses.give_back(session, row.mailbox, MailKind.PREFERENCES, row.owed_at)
        _save(session, budgets, now)

    def release(self, session: Session, now: datetime, sent: Due | None = None) -> int:
        """The relay takes mails again: each of those set aside is tried once more, and counts again; how many.

        `sent`: the mail that it took.
        """
        self.drop_superseded(session, now)
        free = (row for row in refusals.of(session, Refusal.ASIDE) if row.taken_by is None or row.due_at <= now)
        rows = [*free]  # what another process has on a line comes back
        own = _own(sent)  # its row may be gone by now
        budgets = self._budgets(session, {own, *map(_mailbox, rows)})
        if own in budgets:
            budgets[own].spend(now)
        for row in rows:
            row.refusal, row.taken_by = Refusal.AGAIN, None
            row.due_at = _next_time(budgets.get(_mailbox(row)), now, row.drop_at)
        _save(session, budgets, now)
        return len(rows)

    def drop_superseded(self, session: Session, now: datetime) -> None:
        """One mail for who has asked again meanwhile: the later one."""
        for row in refusals.superseded(session):
            (due,) = outbox.read_again(session, [row.id], now)
            details = {"mail": row.mail, "reply": row.note or "", **facts_of(due), "superseded": True}
            named = {member.registration_id for member in due.members} if row.address is None else ()
            for id_ in named:
                evidence.add(
                    session, Fact.MAIL_GIVEN_UP, now, Channel.RELAY, registration_id=id_,
                    subscription_id=row.subscription_id, details=details,
                )  # fmt: skip
            refusals.drop(session, row)
            counters.add(session, {"mails_given_up": 1})
        session.flush()

    def _budgets(self, session: Session, mailboxes: Iterable[bytes]) -> dict[bytes, Budget]:
        """Their budgets, held."""
        keys = sorted({key for key in mailboxes if key})
        if keys:
            addresses.lock(session, *keys)
        found = ((key, addresses.find(session, key)) for key in keys)
        return {key: Budget.read(row.mails, self.rates) for key, row in found if row}


def mailbox_of(due: Due) -> bytes:
    """What tells mailboxes apart, and bears their budgets."""
    return due.mailbox or due.key


def facts_of(due: Due) -> dict[str, object]:
    """What evidence says of a mail that was refused earlier than it was given up."""
    if due.refusal is None or due.refused_at is None:
        return {}
    was_aside = {} if due.refusal is Refusal.NOTED else {"set_aside": True}
    return {"refused_at": due.refused_at.isoformat(timespec="seconds"), **was_aside}


def _own(sent: Due | None) -> bytes:
    """The budget of a mail that was sent, though it had been given back."""
    was_aside = sent is not None and sent.refusal is Refusal.ASIDE and MailKind(sent.mail).row.budgeted
    return mailbox_of(sent) if sent and was_aside else b""


def _mailbox(row: Owed) -> bytes:
    """By whose budget it left; empty: by none."""
    return (row.mailbox or b"") if MailKind(row.mail).row.budgeted else b""


def _next_time(budget: Budget | None, now: datetime, drop_at: datetime) -> datetime:
    """When a mail that was set aside leaves: its budget may have been spent on another one meanwhile."""
    at = budget.opens(now) if budget else now
    if budget and at < drop_at:
        budget.spend(at)
    return min(at, drop_at)


def _save(session: Session, budgets: Mapping[bytes, Budget], now: datetime) -> None:
    changed = {key: budget for key, budget in budgets.items() if budget.is_changed}
    for key, budget in changed.items():
        if not budget.sent and (row := addresses.find(session, key)):
            row.mails = ""
    session.flush()
    with trip(session) as out:
        addresses.save_budgets(out, {key: budget for key, budget in changed.items() if budget.sent}, now)
