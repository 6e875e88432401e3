"""Owed mails that the relay has refused for good: noted, counted, set aside, tried again. Few at any time."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.refusals import Refusal
from subscriptions.store import counters
from subscriptions.store.models import Owed, Registration, Subscription
from subscriptions.store.outbox import LEASE

LOOKED_AT = 5000  # mails, before one is tried
_OLDEST_FIRST = (Owed.tries, Owed.refused_at, Owed.id)


def sent_in_all(session: Session) -> int:
    """How many mails the relay has taken of all processes: where it has grown, there was a success in between."""
    return counters.total(session, "mails_sent")


def find(session: Session, id_: int) -> Owed | None:
    return session.get(Owed, id_, with_for_update=True, populate_existing=True)


def drop(session: Session, row: Owed) -> None:
    session.delete(row)


def of(session: Session, refusal: Refusal) -> Sequence[Owed]:
    """In the order in which they are tried: the one that was refused longest ago first."""
    return session.scalars(select(Owed).where(Owed.refusal == refusal).order_by(*_OLDEST_FIRST).with_for_update()).all()


def number(session: Session, refusal: Refusal) -> int:
    return session.scalar(select(func.count()).select_from(Owed).where(Owed.refusal == refusal)) or 0


def is_any(session: Session, *refusals: Refusal) -> bool:
    return session.scalar(select(Owed.id).where(Owed.refusal.in_(refusals)).limit(1)) is not None


def was_one_taken(session: Session) -> bool:
    """Whether a mail was taken by the relay since it began to refuse those that are set aside."""
    earlier = Owed.refusal == Refusal.ASIDE, Owed.sent_before < sent_in_all(session)
    return session.scalar(select(Owed.id).where(*earlier).limit(1)) is not None


def noted(session: Session, after: datetime) -> Sequence[Owed]:
    """Those refused after that time, and after the last mail that the relay took."""
    lately = Owed.refusal == Refusal.NOTED, Owed.refused_at > after, Owed.sent_before == sent_in_all(session)
    return session.scalars(select(Owed).where(*lately).with_for_update()).all()


def end(session: Session, now: datetime) -> bool:
    """What was refused before the relay took another mail is to be given up now; whether there is any."""
    earlier = Owed.refusal == Refusal.NOTED, Owed.sent_before < sent_in_all(session)
    mine = update(Owed).where(*earlier, Owed.taken_by.is_(None), Owed.due_at > now)
    return session.execute(mine.values(due_at=now).returning(Owed.id)).first() is not None


def take_one(session: Session, me: str, now: datetime, at_most: int, domain_of: Callable[[str], str]) -> list[int]:
    """The one mail to try the relay with, and what will not go to it.

    Not refused yet, and rather to a domain of which no mail is set aside: who has signed up many addresses that do
    not exist keeps those of others waiting no longer. Else the oldest set aside.
    """
    due, alive = Owed.due_at <= now, Owed.drop_at > now
    over = select(Owed.id).where(due, or_(~alive, Owed.refusal == Refusal.NOTED)).limit(at_most)
    ids = list(session.scalars(over.with_for_update(skip_locked=True)))
    fresh = select(Owed.id).where(due, alive, Owed.refusal.is_(None)).order_by(Owed.due_at, Owed.id)
    untaken = or_(Owed.taken_by.is_(None), due)
    surest = fresh.where(Owed.id == _elsewhere(session, fresh, domain_of))
    oldest = select(Owed.id).where(Owed.refusal == Refusal.ASIDE, alive, untaken).order_by(*_OLDEST_FIRST)
    for rest in (surest, fresh, oldest):
        one = session.scalar(rest.limit(1).with_for_update(skip_locked=True))
        if one is not None:
            ids.append(one)
            break
    session.execute(update(Owed).where(Owed.id.in_(ids)).values(due_at=now + LEASE, taken_by=me))
    return ids


def _elsewhere(session: Session, fresh: Select[int], domain_of: Callable[[str], str]) -> int | None:
    """The first of these that goes to a domain of which none is set aside."""
    refused = {*session.scalars(select(Owed.domain).where(Owed.refusal == Refusal.ASIDE).distinct())}
    address = func.coalesce(Registration.address, Subscription.address, Owed.address)
    addressed = fresh.add_columns(address).outerjoin(Registration, Registration.id == Owed.registration_id)
    addressed = addressed.outerjoin(Subscription, Subscription.id == Owed.subscription_id)
    found = session.execute(addressed.limit(LOOKED_AT))
    return next((id_ for id_, to in found if to and domain_of(to) not in refused), None)


_OF_FORM = [kind.value for kind in MailKind if kind.row.of_form]


def superseded(session: Session) -> Sequence[Owed]:
    """Those set aside of people who have asked again since then, for all the same: the later mail is the one to go."""
    first, named, newer, asked = aliased(Registration), aliased(Registration), aliased(Registration), aliased(Owed)
    form = select(first.ref).where(first.id == Owed.registration_id).correlate(Owed).scalar_subquery()
    again = exists().where(newer.key == named.key, newer.list_id == named.list_id, newer.id > named.id)
    by_form = and_(Owed.mail.in_(_OF_FORM), ~exists().where(named.ref == form, ~again))
    hooks = (Owed.mail, Owed.registration_id, Owed.subscription_id, Owed.address)
    same = (getattr(asked, hook.key).is_not_distinct_from(hook) for hook in hooks)
    by_mail = exists().where(asked.id > Owed.id, *same)
    return session.scalars(
        select(Owed).where(Owed.refusal == Refusal.ASIDE, or_(by_form, by_mail)).with_for_update()
    ).all()
