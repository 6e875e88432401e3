"""Durations and numbers: until when, how often, too late or not."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from subscriptions.domain.lifecycle import Registration, Subscription
from subscriptions.domain.mail_kinds import MailKind, Reaches, SuppressionScope

NOTIFIED_EVERY = timedelta(days=30)
ERASE_WITHIN = MailKind.ERASED.row.life  # the mail about it hangs on the row that goes
LINK_LIFE = timedelta(minutes=30)  # of that link, from the writing of the mail
SESSION_LIFE = timedelta(minutes=30)  # of the preferences page, from its opening
CLOCK_JUMP = timedelta(days=400)
# what answers a suspicion: a wait that needs no JavaScript
WAIT = timedelta(seconds=10)  # about as long as the proof of work keeps the slowest phones busy
STEP_LIFE = timedelta(hours=1)
CHALLENGE_LIFE = timedelta(minutes=5)  # that a passkey signs; and so long a sign-in waits for its second step
WORK_LIFE = timedelta(minutes=10)
FORM_LIFE = timedelta(days=1)
BACKED_UP_EVERY = timedelta(days=7)  # at least, or operators are told
CLOCKS_DIFFER = timedelta(minutes=1)  # between hosts of one installation, at most


class TokenScope(StrEnum):
    """What a program may do with its API token."""

    SUBSCRIBE = "subscribe"
    READ = "read"
    EXPORT = "export"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `period`."""

    count: int
    period: timedelta


REQUESTS = Rate(5, timedelta(days=1))  # to the privacy officer, of one mailbox
FILED = Rate(20, timedelta(days=1))  # emails to one privacy officer that there is a request; the desk has them all
DOWNLOADS = Rate(3, timedelta(days=1))  # of all that is stored of somebody (GDPR 12(5))
MOVES = Rate(5, timedelta(days=1))  # from one address to others
# the link to one's own page has budgets of its own, which no sign-up spends
SHORTLY = Rate(1, timedelta(minutes=5))
TYPED = SHORTLY, Rate(3, timedelta(hours=24)), Rate(10, timedelta(days=30))  # asked for by typing the address
TYPED_IN_PEACE = (Rate(1, timedelta(days=30)),)  # the same, while no confirmation mails are wanted
LOST_PASSWORD = TYPED[:2]  # of an account of the desk, whose address was typed
RENEWED = (SHORTLY,)  # asked for by the button of an earlier link, which proves the mailbox


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of one installation ([lifecycle] and [limits] of its configuration)."""

    confirm_within: timedelta = timedelta(hours=24)
    purge_after: timedelta = timedelta(days=30)
    keep_proof_years: int = 3
    keep_ip_months: int = 12
    mails: tuple[Rate, ...] = (
        Rate(1, timedelta(minutes=15)), Rate(3, timedelta(hours=24)), Rate(5, timedelta(days=30)),
    )  # fmt: skip
    keep_letters: timedelta = timedelta(days=30)  # that wait for a human
    network: Rate | None = Rate(200, timedelta(hours=1))
    proof_from: int | None = None  # sign-ups of a network in that time, from which on it is asked for a proof of work

    @property
    def times_kept(self) -> timedelta:
        """How long the last mail to a mailbox counts in any budget."""
        return max(rate.period for rate in (*self.mails, *TYPED, *TYPED_IN_PEACE, *RENEWED))

    def confirm_by(self, registered_at: datetime) -> datetime:
        """The first instant at which a registration can no longer be confirmed."""
        return registered_at + self.confirm_within

    def purge_at(self, registered_at: datetime) -> datetime:
        """The earlier of `purge_after` and one calendar month after the registration."""
        return min(registered_at + self.purge_after, months_after(registered_at, 1))

    def proof_until(self, ended_at: datetime) -> datetime:
        """The end of the third calendar year after the subscription ended: German limitation, BGB 195 and 199."""
        return datetime(ended_at.year + self.keep_proof_years + 1, 1, 1, tzinfo=UTC)

    def settled_before(self, now: datetime) -> datetime:
        """Requests that were settled before that have been kept as long as a proof is."""
        return datetime(now.year - self.keep_proof_years, 1, 1, tzinfo=UTC)

    def ip_until(self, confirmed_at: datetime) -> datetime:
        """Until when the IP addresses of a confirmed registration are kept."""
        return months_after(confirmed_at, self.keep_ip_months)


def months_after(start: datetime, months: int) -> datetime:
    """The same day and time `months` later; a day that the month lacks becomes its last."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def state_at(stored: Registration, confirm_by: datetime, now: datetime) -> Registration:
    """The state at `now`, whether or not a sweep has been there yet."""
    if stored is Registration.PENDING and now >= confirm_by:
        return Registration.BLOCKED
    return stored


def is_wanted(
    mail: MailKind, registration: Registration | None, subscription: Subscription | None, *,
    restricted: bool, suppression: SuppressionScope | None,
) -> bool:  # fmt: skip
    """Whether an owed mail may still leave, asked of the states just before it is written out; its row says it."""
    row = mail.row
    if suppression is not None and row.despite not in (SuppressionScope.ALL, suppression):
        return False
    if restricted and not row.though_restricted:
        return False
    if row.reaches is Reaches.WAITING:
        return registration is Registration.PENDING
    return row.reaches is Reaches.ANY or subscription is Subscription.CONFIRMED


def is_too_fast(shown_at: datetime | None, now: datetime, least: timedelta) -> bool:
    """Whether a form came back faster than people type. A missing or an old time says nothing."""
    if shown_at is None or not least:
        return False
    return -CLOCKS_DIFFER < now - shown_at < least


def seconds_left(since: datetime, now: datetime) -> int:
    """How long the wait still takes, in whole seconds; 0 when it is over."""
    return max(0, min(ceil((since + WAIT - now).total_seconds()), ceil(WAIT.total_seconds())))


def is_step_alive(since: datetime, now: datetime) -> bool:
    return -CLOCKS_DIFFER < now - since < STEP_LIFE
