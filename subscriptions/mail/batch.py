"""The mails that one line is about to send: in their order, written out, their states as fresh as they must be."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.domain.lifecycle import Mail, Registration, Subscription
from subscriptions.domain.policy import is_wanted, state_at
from subscriptions.mail.compose import Composed, Composer
from subscriptions.mail.several import narrowed
from subscriptions.store import outbox, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.outbox import Due

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
        due = self._rows.pop(0)
        if not _may_leave(due, now):
            return due, None
        composed = self._written.pop(due.id, None) or self._composer.compose(due, now)
        if self._rows and _may_leave(self._rows[0], now):
            ahead = self._written[self._rows[0].id] = self._composer.compose(self._rows[0], now)
            composed.message.following = ahead.message
        return due, composed

    def _read(self, ids: list[int], now: datetime) -> None:
        with reading() as session:
            found = outbox.read_again(session, ids, now)
            known = [due if due.key else self._of_no_row(session, due, now) for due in found]
        self._rows = [narrowed(due, now) if due.group else due for due in known]
        self._read_at, self._written = now, dict[int, Composed]()

    def _of_no_row(self, session: Session, due: Due, now: datetime) -> Due:
        """For who is known by a suppression alone: the key is computed from the address, never kept beside it."""
        if due.address is None:
            return due
        key = self._composer.links.key(parse(due.address).folded)
        scopes = [one.scope for one in suppressions.active(session, key, now)]
        return due._replace(key=key, suppression=min(scopes, default=None))


def _may_leave(due: Due, now: datetime) -> bool:
    """Asked of the states as they are now: an erased, blocked or suppressed person is not mailed (M-17)."""
    if due.mail == Mail.ALARM:  # to the operator, and about nobody
        return now < due.drop_at
    if due.drop_at <= now or due.address is None:
        return False
    return is_wanted(
        Mail(due.mail),
        _registration_state(due, now),
        Subscription(due.subscription_state) if due.subscription_state else None,
        restricted=bool(due.restricted),
        suppression=due.suppression,
    )


def _registration_state(due: Due, now: datetime) -> Registration | None:
    if due.registration_state is None or due.confirm_by is None:
        return None
    return state_at(Registration(due.registration_state), due.confirm_by, now)
