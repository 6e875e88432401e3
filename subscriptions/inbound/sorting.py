"""What a message is: the first of these that knows it."""

from collections.abc import Callable

from subscriptions.inbound.complaints import complaint_of
from subscriptions.inbound.house import Automatic, House, Sorted, Unclear
from subscriptions.inbound.message import Arrived
from subscriptions.inbound.own import own_of
from subscriptions.inbound.returned import bounce_of
from subscriptions.inbound.wishes import wish_of


def automatic_of(arrived: Arrived, house: House) -> Automatic | None:
    return Automatic() if arrived.is_automatic else None


# Ours comes first, and reports are next, since all of them are automatic. A wish comes before what is automatic too:
# some mail programs call their unsubscribe mails so. It looks for itself, and takes an automatic one only by our token.
LOOKS: tuple[Callable[[Arrived, House], Sorted | None], ...] = (
    own_of, complaint_of, bounce_of, wish_of, automatic_of,
)  # fmt: skip


def sort(arrived: Arrived, house: House) -> Sorted:
    return next((found for look in LOOKS if (found := look(arrived, house))), Unclear())
