"""What facts and states are called in the Data Privacy Vocabulary, which records of ISO/IEC TS 27560 can use."""

from collections.abc import Mapping
from enum import StrEnum

from subscriptions.domain.evidence import Fact
from subscriptions.domain.lifecycle import Registration, Subscription


class Status(StrEnum):
    """Of these only the two that are given are valid for processing."""

    REQUESTED = "ConsentRequested"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    EXPIRED = "ConsentExpired"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    TERMINATED = "ConsentTerminated"  # by the controller, or because nothing reaches the mailbox
    INVALIDATED = "ConsentInvalidated"


VALID = frozenset({Status.GIVEN, Status.RENEWED})
OF_SIGN_UPS: Mapping[Registration, Status] = {
    Registration.PENDING: Status.REQUESTED,
    Registration.BLOCKED: Status.EXPIRED,
    Registration.ERASED: Status.REFUSED,
    Registration.PURGED: Status.EXPIRED,
    Registration.CONFIRMED: Status.GIVEN,
}
OF_SUBSCRIPTIONS: Mapping[Subscription, Status] = {
    Subscription.CONFIRMED: Status.GIVEN,
    Subscription.UNSUBSCRIBED: Status.WITHDRAWN,
    Subscription.BOUNCED: Status.TERMINATED,
    Subscription.ERASED: Status.WITHDRAWN,
    Subscription.PURGED: Status.TERMINATED,
}
_OF_FACTS: Mapping[Fact, Status] = {
    Fact.REGISTERED: Status.REQUESTED,
    Fact.ASKED_AGAIN: Status.REQUESTED,
    Fact.CONFIRMED: Status.GIVEN,
    Fact.IMPORTED: Status.GIVEN,
    Fact.DISOWNED: Status.INVALIDATED,  # "this was not me", of what had been confirmed
    Fact.UNSUBSCRIBED: Status.WITHDRAWN,
    Fact.BOUNCED: Status.TERMINATED,
}


def status_after(fact: Fact, before: Status | None, renewed: bool) -> Status | None:
    """What a consent is after an event: most change nothing. `renewed`: there was another before it.

    Whoever is signed up again while they are subscribed stays so; who confirms that as well renews it.
    """
    found = _OF_FACTS.get(fact)
    if found is Status.REQUESTED and before in VALID:
        return before
    if found is Status.WITHDRAWN and before is Status.INVALIDATED:
        return before
    return Status.RENEWED if found is Status.GIVEN and (renewed or before in VALID) else found or before
