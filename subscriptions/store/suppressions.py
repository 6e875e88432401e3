"""Who gets no confirmation mails, or no mail at all, by keyed hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from subscriptions.domain.lifecycle import Suppress
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store import holds, journal
from subscriptions.store.engine import BLIND
from subscriptions.store.models import Suppression


def in_force(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """Those that stand at `now`; one without an end stands until it is lifted."""
    return or_(Suppression.until.is_(None), Suppression.until > now)


def add(
    session: Session, key: bytes, rule: Suppress, reason: str, now: datetime, *,
    list_id: int | None = None, set_by: bytes | None = None, mailbox: bytes | None = None,
    controller: str | None = None,
) -> None:  # fmt: skip
    """Set a suppression, unless the very same stands already; a second press of a link prolongs nothing.

    Of the scope `all` it stands for the address, and for the other spellings of its `mailbox` as `confirmations`.
    """
    of = {"key": key, "mailbox": mailbox or key, "scope": rule.scope, "list_id": list_id, "set_by": set_by,
          "controller": controller}  # fmt: skip
    put_once(session, of, reason, now, rule.until(now))


def put_once(session: Session, of: Mapping[str, Any], reason: str, now: datetime, until: datetime | None) -> bool:
    """Whether it did not stand already. `of`: the columns that say whose it is, and of what."""
    lasting = in_force(now) if until else Suppression.until.is_(None)
    same = (getattr(Suppression, name).is_not_distinct_from(value) for name, value in of.items())
    known = session.scalar(select(Suppression.id).where(Suppression.key == of["key"], *same, lasting).limit(1))
    if known is None:
        put(session, {**of, "set_at": now, "until": until}, reason)
    return known is None


def put(session: Session, of: Mapping[str, Any], reason: str) -> None:
    """Set one; the journal keeps all of it but the reason, which somebody may have written."""
    session.add(Suppression(**of, reason=reason))
    journal.note(session, "suppress", **of)
    session.flush()


class Standing(NamedTuple):
    """What stands against an address. `of_mailbox`: set for another spelling of the same mailbox, for that `set_as`."""

    scope: SuppressionScope
    list_id: int | None
    reason: str
    set_at: datetime
    until: datetime | None
    key: bytes
    of_mailbox: bool
    set_as: SuppressionScope
    controller: str | None

    @property
    def is_never(self) -> bool:
        """Whether it stops every mail of the installation."""
        return self.scope is SuppressionScope.ALL and self.list_id is None


def active(session: Session, key: bytes, now: datetime, mailbox: bytes | None = None) -> list[Standing]:
    theirs = select(Suppression).where(_of(key, mailbox), in_force(now)).order_by(Suppression.id)
    return [_standing(row, key) for row in session.scalars(theirs)]


def _standing(row: Suppression, key: bytes) -> Standing:
    """Who objected under another spelling objected to the mails of that one."""
    other = row.key != key
    scope = SuppressionScope.CONFIRMATIONS if other else row.scope
    return Standing(scope, row.list_id, row.reason, row.set_at, row.until, row.key, other, row.scope, row.controller)


def _of(key: bytes, mailbox: bytes | None) -> ColumnElement[bool]:
    """Set for this very spelling, or for any of its mailbox; whoever asks may not know that (`mailbox` none)."""
    return or_(Suppression.key == key, Suppression.mailbox.in_([key, mailbox or key]))


def all_active(session: Session, now: datetime) -> Sequence[Suppression]:
    return session.scalars(select(Suppression).where(in_force(now)).order_by(Suppression.id)).all()


Keys = tuple[bytes, bytes]  # of the address and of its mailbox
_KEYS = Suppression.key, Suppression.mailbox


def lift(
    session: Session, key: bytes, *, scope: SuppressionScope | None = None, set_by: bytes | None = None,
    mailbox: bytes | None = None, controller: str | None = None,
) -> Sequence[Keys]:  # fmt: skip
    """Lift suppressions of an address: all, those of a scope, or those that one link has set; whose each was.

    `confirmations` are the mailbox's, so those of its other spellings go as well. An objection of another spelling
    stays for that one alone. `controller`: what was said to that one; empty: what was said to all of them.
    """
    journal.note(session, "lift", key=key, scope=scope, set_by=set_by, mailbox=mailbox, controller=controller)
    confirmations = Suppression.scope == SuppressionScope.CONFIRMATIONS
    which = [or_(Suppression.key == key, and_(_of(key, mailbox), confirmations))]
    if scope is not None:
        which.append(Suppression.scope == scope)
    if controller is not None:
        which.append(Suppression.controller.is_not_distinct_from(controller or None))
    if set_by is not None:
        which.append(Suppression.set_by == set_by)
    lifted = _end(session, *which)
    if scope is not SuppressionScope.ALL and set_by is None:
        others = update(Suppression).where(_of(key, mailbox), Suppression.key != key, ~confirmations)
        moved = session.execute(others.values(mailbox=Suppression.key).returning(*_KEYS))
        lifted += [(key, mailbox) for key, mailbox in moved]
    return lifted


def _end(session: Session, *which: ColumnElement[bool]) -> list[Keys]:
    """Delete these; what a hold keeps of them stays, as one that is over."""
    free = delete(Suppression).where(*which, ~holds.on_any_of(Suppression.key)).returning(*_KEYS)
    lasts = or_(Suppression.until.is_(None), Suppression.until > Suppression.set_at)
    kept = update(Suppression).where(*which, lasts).values(until=Suppression.set_at).returning(*_KEYS)
    found = [session.execute(end, execution_options=BLIND).all() for end in (free, kept)]
    return [(key, mailbox) for rows in found for key, mailbox in rows]


def follow(session: Session, names: Mapping[int, str]) -> None:
    """After a change of lists: who objected to a controller objected to its new lists too.

    `names`: of the controllers, by list. Where no list bears a name any more, it was changed: so are the objections.
    """
    objected = select(Suppression.controller).where(Suppression.controller.is_not(None)).distinct()
    for controller in session.scalars(objected).all():
        theirs = select(Suppression).where(Suppression.controller == controller).order_by(Suppression.id)
        rows = session.scalars(theirs).all()
        name = controller if controller in names.values() else names[rows[0].list_id or 0]
        of_it = [list_id for list_id, other in names.items() if other == name]
        known = {(row.key, row.list_id) for row in rows}
        for row in {row.key: row for row in rows}.values():
            for list_id in of_it:
                if (row.key, list_id) not in known:
                    session.add(_of_list(row, list_id))
        session.execute(update(Suppression).where(Suppression.controller == controller).values(controller=name))
        session.flush()


def _of_list(row: Suppression, list_id: int) -> Suppression:
    same = {name: getattr(row, name) for name in ("key", "mailbox", "scope", "reason", "set_at", "until", "controller")}
    return Suppression(**same, list_id=list_id)


def ended(session: Session, now: datetime, at_most: int) -> Sequence[Keys]:
    """Delete suppressions that have ended; whose each was."""
    over = select(Suppression.id).where(Suppression.until <= now, ~holds.on_any_of(Suppression.key)).limit(at_most)
    gone = delete(Suppression).where(Suppression.id.in_(over))
    return session.execute(gone.returning(*_KEYS)).all()
