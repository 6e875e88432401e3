"""What stays of an address once it is erased, and until when."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, audit, holds, requests, subscriptions, suppressions


class SaidNo(NamedTuple):
    """A suppression: of every list or of one, until it is lifted or for a time."""

    scope: SuppressionScope
    list_id: int | None
    until: datetime | None


class Kept(NamedTuple):
    """All of it by a keyed hash alone; nothing of it where a time is none."""

    proof_until: datetime | None = None  # sealed evidence, the longest
    is_held: bool = False  # a hold keeps some or all of it as it is, until a dispute is over
    mails_until: datetime | None = None  # the times of mails
    suppressions: tuple[SaidNo, ...] = ()
    has_asked: bool = False  # requests of theirs are kept
    is_audited: bool = False  # as long as anything of the above stays


def after_erasure(session: Session, key: bytes, now: datetime, policy: Policy, mailbox: bytes | None = None) -> Kept:
    """What stays if the address is erased now, or was erased before; `mailbox` where it is a spelling of another."""
    proofs = subscriptions.of_key(session, key)
    said_no = tuple(
        SaidNo(row.scope, row.list_id, row.until) for row in suppressions.active(session, key, now, mailbox)
    )
    kept = Kept(
        max((row.proof_until or policy.proof_until(now) for row in proofs), default=None),
        bool(holds.active(session, key, now)),
        _mails_until(session, {key, mailbox or key}, now, policy),
        said_no,
        bool(requests.of_key(session, key)),
    )
    return kept._replace(is_audited=any(kept) and audit.is_about(session, key))


def _mails_until(session: Session, keys: Collection[bytes], now: datetime, policy: Policy) -> datetime | None:
    """When the last mail counts no more: before 0.4.0 its time was kept for the spelling."""
    rows = filter(None, (addresses.find(session, key) for key in keys))
    until = max((row.last_mail_at + policy.times_kept for row in rows if row.last_mail_at), default=now)
    return until if until > now else None
