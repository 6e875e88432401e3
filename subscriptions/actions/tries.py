"""Wrong passwords at the desk: how many there may be, and whom they keep out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.domain.policy import Rate
from subscriptions.store import guards
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Counted

# wrong passwords: of a network; of one account by browsers in which it has never been signed in; and of one that has.
# A stranger who uses up the second keeps nobody out who has signed in before.
NETWORK_TRIES, STRANGERS_TRIES, OWN_TRIES = (
    Rate(20, timedelta(minutes=15)), Rate(20, timedelta(hours=1)), Rate(20, timedelta(minutes=15)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tries:
    """What a try to sign in counts for. `is_own`: of a browser in which this account has been signed in before.

    `account`: none where nobody is named, as with a passkey.
    """

    network: bytes | None
    account: bytes | None = None
    is_own: bool = False

    @property
    def counted(self) -> list[tuple[bytes, Rate]]:
        rates = (self.network, NETWORK_TRIES), (self.account, OWN_TRIES if self.is_own else STRANGERS_TRIES)
        return [(key, rate) for key, rate in rates if key]

    def give_back(self, session: Session) -> None:
        """The password was right: what counts are the wrong ones."""
        for key, _ in self.counted:
            guards.give_back(session, key)


@repeated
def count(of: Tries, now: datetime) -> datetime | None:
    """Count one try, before its password is looked at; until when there are none, where they are used up."""
    with transaction() as session:
        for key, rate in of.counted:
            since, count = guards.add_one(session, Counted.TRIES, key, now, rate.period)
            if count > rate.count:
                return since + rate.period
    return None
