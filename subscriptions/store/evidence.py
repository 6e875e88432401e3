"""The evidence: written once, read in the order in which it was written."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.bounces import Weight
from subscriptions.domain.evidence import ANOTHER_SITE, PROMISED_IP, Cause, Channel, Fact, complete
from subscriptions.store import removals
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Evidence, Registration, Subscription

LOOKED_AT = 10_000  # events, for the last mail


def add(
    session: Session, fact: Fact, at: datetime, channel: Channel, *,
    registration_id: int | None = None, subscription_id: int | None = None, actor: str | None = None,
    ip: str | None = None, ip_source: str | None = None, details: Mapping[str, object] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Append one event; an IP only where the founding clause promises it."""
    ip, ip_source = (ip, ip_source) if fact in PROMISED_IP else (None, None)
    session.add(Evidence(
        fact=fact, at=at, channel=channel, registration_id=registration_id, subscription_id=subscription_id,
        actor=actor, ip=ip, ip_source=ip_source, details=dict(complete(fact, details)),
    ))  # fmt: skip
    session.flush()


def find(session: Session, id_: int) -> Evidence | None:
    return session.get(Evidence, id_)


def of_registration(session: Session, id_: int) -> Sequence[Evidence]:
    return session.scalars(select(Evidence).where(Evidence.registration_id == id_).order_by(Evidence.id)).all()


def last_mailed_at(session: Session) -> datetime | None:
    """When the relay took the last mail about somebody, as far as the newest events tell."""
    newest = select(Evidence.fact, Evidence.at).order_by(Evidence.id.desc()).limit(LOOKED_AT).subquery()
    found: datetime | None = session.scalar(select(func.max(newest.c.at)).where(newest.c.fact == Fact.MAILED))
    return found


def newest_sources(session: Session) -> list[str]:
    """Who named the address of the newest sign-ups, the last one first (see `actions.subscribe.Origin`)."""
    newest = select(Evidence.ip_source).where(Evidence.fact == Fact.REGISTERED).order_by(Evidence.id.desc()).limit(10)
    return [source for source in session.scalars(newest) if source in ("peer", "proxy", "unnamed proxy")]


def sites(session: Session, registration_ids: Sequence[int]) -> dict[int, str]:
    """Where the forms of these sign-ups stood, as `domain.sites.stood_on` tells it."""
    theirs = Evidence.registration_id.in_(registration_ids), Evidence.fact == Fact.REGISTERED
    told = session.execute(select(Evidence.registration_id, Evidence.details).where(*theirs))
    return {id_: said.get("site", ANOTHER_SITE if ANOTHER_SITE in said.get("flags", ()) else "") for id_, said in told}


def sites_of_list(session: Session, list_id: int, since: datetime, at_most: int) -> list[tuple[str, str, bool, int]]:
    """Site, wording, whether it was shown there, how many: of the newest sign-ups for all lists, those for this one.

    Numbers count sign-ups from `since` on; 0: there are earlier ones alone.
    """
    newest = select(Registration).order_by(Registration.id.desc()).limit(at_most).subquery()
    site, late = Evidence.details["site"].as_string(), case((newest.c.registered_at >= since, 1), else_=0)
    columns = site, newest.c.wording_id, newest.c.vouched
    found = (
        select(*columns, func.sum(late)).join(Evidence, Evidence.registration_id == newest.c.id)
        .where(newest.c.list_id == list_id, Evidence.fact == Fact.REGISTERED, site.is_not(None)).group_by(*columns)
    )  # fmt: skip
    return [tuple(row) for row in session.execute(found)]


def of_subscription(session: Session, id_: int) -> Sequence[Evidence]:
    """Everything that proves a subscription."""
    theirs = select(Evidence).where(removals.of_subscriptions([id_]))
    return session.scalars(theirs.order_by(Evidence.at, Evidence.id)).all()


def returned(session: Session, row: Registration | Subscription, since: datetime) -> dict[date, bool]:
    """The days from then on, at which a mail to them came back, and whether that was a soft bounce."""
    owner = Evidence.registration_id if isinstance(row, Registration) else Evidence.subscription_id
    theirs = select(Evidence.details).where(owner == row.id, Evidence.fact == Fact.RETURNED, Evidence.at >= since)
    return {date.fromisoformat(said["on"]): said["weight"] == Weight.SOFT for said in session.scalars(theirs)}


def forget_ips(session: Session, subscription_ids: Sequence[int], cause: Cause, now: datetime) -> None:
    """The IP addresses of these subscriptions, at the end of their own period. The deletion log says so."""
    theirs = removals.of_subscriptions(subscription_ids)
    removals.of_ips(session, theirs, cause, now)
    known = update(Evidence).where(theirs, Evidence.ip.is_not(None))
    session.execute(known.values(ip=None), execution_options=BLIND)
