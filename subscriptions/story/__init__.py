"""What happened to one address: sign-ups and subscriptions, what is owed, what comes next, what stands against it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Standing
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import state_at
from subscriptions.domain.texts import marked
from subscriptions.mail.rebuild import redacted
from subscriptions.parts import current_parts
from subscriptions.store import addresses, evidence, holds, imports, outbox, registrations, subscriptions, suppressions
from subscriptions.store.models import Evidence, Registration, Subscription, Wording
from subscriptions.story import happened, owed
from subscriptions.story.said import OfList, Rates, Said


@dataclass(frozen=True, slots=True)
class Event:
    """`mail`: the mail as it was sent, with hashes for its links and code; none where it cannot be made again."""

    row: Evidence
    says: Said
    wording: Wording | None
    mail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A sign-up or a subscription with what happened to it, mails that it is owed, and how it stands now."""

    row: Registration | Subscription
    events: list[Event]
    owed: list[Said]
    now: Said

    @property
    def filled_in(self) -> list[str]:
        """Which fields; never with what: a story may be passed on."""
        return [*(["name"] if self.row.name else []), *(self.row.fields or {})]

    @property
    def replaces(self) -> bool:
        return isinstance(self.row, Registration) and self.row.replaces is not None


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may see: none of `lists` means every list; `private`: also what is blocked, erased or counted."""

    lists: Collection[int] | None = None
    private: bool = True

    def sees(self, row: Registration | Subscription, now: datetime) -> bool:
        if self.lists is not None and row.list_id not in self.lists:
            return False
        if self.private:
            return True
        if isinstance(row, Registration):
            return row.address is not None and state_at(row.state, row.confirm_by, now) is not State.BLOCKED
        return row.state is not Standing.ERASED and (row.proof_until is None or row.proof_until > now)


EVERYTHING = Sight()


@dataclass(frozen=True, slots=True)
class Story:
    sign_ups: list[Record]
    subscriptions: list[Record]
    against: list[suppressions.Standing]
    said_no: list[Said]  # the same as sentences
    counted: list[Said]
    held: list[Said]

    @property
    def standing(self) -> list[Said]:
        return self.said_no + self.counted + self.held


def tell(session: Session, key: bytes, mailbox: bytes | None, now: datetime, sight: Sight = EVERYTHING) -> Story:
    """`mailbox`: its key, where the address is one spelling of another."""
    signed_up, opened = rows_of(session, key, now, sight)
    against = _all_against(session, key, mailbox, now, sight)
    held = holds.active(session, key, now) if sight.private else []
    return Story(
        [Record(row, _events(session, evidence.of_registration(session, row.id), sight),
                [owed.waiting(one, now) for one in outbox.of_registration(session, row)], sign_up_now(row, now, held))
         for row in signed_up],
        [Record(row, _events(session, _own(session, row), sight),
                [owed.waiting(one, now) for one in outbox.of_subscription(session, row.id)],
                _subscription_now(row, held))
         for row in opened],
        against,
        [*map(_against, against)],
        _counted(session, key, mailbox, now) if sight.private else [],
        [*map(_held, held)],
    )  # fmt: skip


def rows_of(session: Session, key: bytes, now: datetime, sight: Sight) -> tuple[list[Registration], list[Subscription]]:
    """The sign-ups and subscriptions that somebody may see."""
    opened = [row for row in subscriptions.of_key(session, key) if sight.sees(row, now)]
    signed_up = [row for row in registrations.of_key(session, key) if sight.sees(row, now)]
    if not sight.private:  # what led to a subscription goes out of sight with it
        ids = {None, *(row.id for row in opened)}
        signed_up = [row for row in signed_up if row.subscription_id in ids]
    return signed_up, opened


def is_known(session: Session, key: bytes, now: datetime, sight: Sight) -> bool:
    """Whether there is anything that somebody with that sight may know; where not, it is as if there was nothing.

    A suppression alone tells nothing of their lists to who sees some.
    """
    if any(rows_of(session, key, now, sight)):
        return True
    is_all = sight.private and sight.lists is None
    return is_all and bool(suppressions.active(session, key, now) or holds.active(session, key, now))


def _all_against(
    session: Session, key: bytes, mailbox: bytes | None, now: datetime, sight: Sight
) -> list[suppressions.Standing]:
    return [one for one in suppressions.active(session, key, now, mailbox)
            if sight.lists is None or one.list_id is None or one.list_id in sight.lists]  # fmt: skip


def _events(session: Session, rows: Sequence[Evidence], sight: Sight) -> list[Event]:
    """The mails themselves, which take longest to make again, for those alone who may see them."""
    parts, found = current_parts(), []
    for row in rows:
        wording = parts.catalogue.wordings.get(row.details.get("wording", ""))
        mail = redacted(session, row.id, parts.links) if sight.private and row.fact == "mailed" else None
        found.append(Event(row, happened.sentence(row), wording, mail))
    return found


def _own(session: Session, row: Subscription) -> list[Evidence]:
    """What happened since it was opened."""
    return [event for event in evidence.of_subscription(session, row.id) if event.registration_id is None]


def _keeps(row: Registration | Subscription, held: Sequence[holds.Standing]) -> bool:
    return any(one.covers(row.list_id) for one in held)


def sign_up_now(row: Registration, now: datetime, held: Sequence[holds.Standing] = ()) -> Said:
    state = state_at(row.state, row.confirm_by, now)
    if state is State.PENDING:
        text = marked("not confirmed yet. It can be confirmed until %(time)s; then it is blocked.")
        return Said(text, {"time": row.confirm_by})
    if state is State.BLOCKED and _keeps(row, held):
        return Said(marked("blocked. Only the legal hold keeps it: nobody can confirm, email or export it."))
    if state is State.BLOCKED:
        text = marked("blocked, because nobody confirmed it in time. It is deleted on %(time)s.")
        return Said(text, {"time": row.purge_at})
    return Said(marked("confirmed."))


_ENDED = {
    Standing.UNSUBSCRIBED: marked("unsubscribed since %(time)s%(kept)s."),
    Standing.BOUNCED: marked("ended on %(time)s, because an email came back%(kept)s."),
    Standing.ERASED: marked("erased since %(time)s%(kept)s."),
}


def _subscription_now(row: Subscription, held: Sequence[holds.Standing]) -> Said:
    if row.ended_at is None:
        restricted = marked("subscribed, but restricted: it gets no email.")
        return Said(restricted if row.restricted else marked("subscribed."))
    kept: object = ""
    if _keeps(row, held):
        kept = Said(marked(". The legal hold keeps it"))
    elif row.proof_until:
        kept = Said(marked(". Its proof is kept until %(time)s"), {"time": row.proof_until})
    return Said(_ENDED.get(row.state, "%(time)s%(kept)s."), {"time": row.ended_at, "kept": kept})


def _against(no: suppressions.Standing) -> Said:
    no_mail, unasked = marked("gets no email at all"), marked("gets no confirmation emails")
    other = Said(marked(" for another spelling of the same mailbox")) if no.of_mailbox else ""
    why = {"reason": happened.reason(no.reason), "time": no.set_at, "other": other}
    return Said(
        marked("Stopped: this address %(what)s%(list)s%(until)s (%(why)s)."),
        {
            "what": Said(no_mail if no.scope is SuppressionScope.ALL else unasked),
            "list": Said(marked(" for %(list)s"), {"list": OfList(no.list_id)}) if no.list_id is not None else "",
            "until": Said(marked(" until %(time)s"), {"time": no.until}) if no.until else "",
            "why": Said(marked("%(reason)s, set on %(time)s%(other)s"), why),
        },
    )


def _held(one: holds.Standing) -> Said:
    waits = Said(marked(" Erasure was requested: it is done when the hold is lifted.")) if one.erase_asked else ""
    return Said(
        marked("Legal hold%(list)s since %(time)s, to be reviewed on %(day)s: %(reason)s.%(waits)s"),
        {
            "list": Said(marked(" for %(list)s"), {"list": OfList(one.list_id)}) if one.list_id is not None else "",
            "time": one.placed_at, "day": one.review_on, "reason": one.reason, "waits": waits,
        },
    )  # fmt: skip


def _counted(session: Session, key: bytes, mailbox: bytes | None, now: datetime) -> list[Said]:
    policy, found = current_parts().policy, []
    opens = addresses.budget(session, key, mailbox, policy).opens(now)
    if opens > now:
        closed = marked(
            "This address has had as many emails as we send (%(rates)s): a sign-up before %(time)s is answered as "
            "usual, but sends no email."
        )
        found.append(Said(closed, {"rates": Rates(policy.mails), "time": opens}))
    waits = marked("Waits to be invited to %(list)s: an import had no proof of consent.")
    found += [Said(waits, {"list": OfList(id_)}) for id_ in imports.lists_of(session, key)]
    row = addresses.find(session, key)
    if row and row.asked:
        once, often = marked("Signed up %(num)s time in all."), marked("Signed up %(num)s times in all.")
        found.append(Said(once if row.asked == 1 else often, {"num": row.asked}))
    if row and row.erase_by:
        by = marked("Erasure was requested: it is done by %(time)s at the latest.")
        found.append(Said(by, {"time": row.erase_by}))
    return found
