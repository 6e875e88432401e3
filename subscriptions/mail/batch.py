"""The mails that one line is about to send: in their order, written out, their states as fresh as they must be."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.domain.lifecycle import Mail, Registration, Subscription
from subscriptions.domain.policy import is_wanted, state_at
from subscriptions.mail.compose import Composed, Composer
from subscriptions.store import outbox, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.outbox import Due, Member

FRESH = timedelta(seconds=5)  # a state read longer ago than this is read anew


class Batch:
    """Taken mails, by their ids."""

    def __init__(self, ids: list[int], composer: Composer, clock: Clock) -> None:
        self._composer, self._clock = composer, clock
        self._read(ids, clock.now())

    @property
    def ids(self) -> list[int]:
        """Those that are left."""
        return [due.id for due in self._rows]

    def next(self) -> tuple[Due, Composed | None] | None:
        """The next mail, written out, the one after it announced; without a text where it may leave no more."""
        now = self._clock.now()
        if self._rows and now - self._read_at > FRESH:
            self._read(self.ids, now)
        if not self._rows:
            return None
        due = _narrowed(self._rows.pop(0), now)
        if not due.members:
            return due, None
        composed = self._written.pop(due.id, None) or self._composer.compose(due, now)
        after = _narrowed(self._rows[0], now) if self._rows else None
        if after and after.members:
            ahead = self._written[after.id] = self._composer.compose(after, now)
            composed.message.following = ahead.message
        return due, composed

    def _read(self, ids: list[int], now: datetime) -> None:
        with reading() as session:
            found = outbox.read_again(session, ids, now)
            self._rows = [due if due.key else self._of_no_row(session, due, now) for due in found]
        self._read_at, self._written = now, dict[int, Composed]()

    def _of_no_row(self, session: Session, due: Due, now: datetime) -> Due:
        """For who is known by a suppression alone: the key is computed from the address, never kept beside it."""
        if due.address is None:
            return due
        key = self._composer.links.key(parse(due.address).folded)
        scopes = [one.scope for one in suppressions.active(session, key, now)]
        return due._replace(key=key, members=(due.lead._replace(suppression=min(scopes, default=None)),))


def _narrowed(due: Due, now: datetime) -> Due:
    """The mail, about the lists that it may still be about; none: it may leave no more.

    Asked of the states as they are now: an erased, blocked or suppressed person is not mailed (M-17).
    """
    if due.drop_at <= now or (due.address is None and due.mail != Mail.ALARM):
        return due._replace(members=())
    wanted = tuple(one for one in due.members if _is_wanted(due, one, now))
    return due if len(wanted) == len(due.members) else due._replace(members=wanted)


def _is_wanted(due: Due, one: Member, now: datetime) -> bool:
    if due.mail == Mail.ALARM:  # to the operator, and about nobody
        return True
    return is_wanted(
        Mail(due.mail),
        state_at(Registration(one.state), one.confirm_by, now) if one.state and one.confirm_by else None,
        Subscription(due.subscription_state) if due.subscription_state else None,
        restricted=bool(due.restricted),
        suppression=one.suppression,
    )
