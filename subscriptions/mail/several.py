"""A confirmation mail for several lists of one form: which of them it may still name."""

from datetime import datetime

from subscriptions.domain.lifecycle import Mail, Registration
from subscriptions.domain.policy import is_wanted, state_at
from subscriptions.store.groups import Member
from subscriptions.store.outbox import Due


def narrowed(due: Due, now: datetime) -> Due:
    """The mail, about the lists that may still be asked for; the first of them is the one whose headers it bears."""
    wanted = tuple(one for one in due.group if Mail(due.mail) is Mail.CONFIRM and _is_wanted(one, now))
    if not wanted:
        return due._replace(group=())
    lead = wanted[0]
    return due._replace(
        group=wanted, list_id=lead.list_id, wording_id=lead.wording_id, suppression=None,
        registration_state=lead.state, confirm_by=lead.confirm_by,
    )  # fmt: skip


def _is_wanted(one: Member, now: datetime) -> bool:
    state = state_at(Registration(one.state), one.confirm_by, now)
    return is_wanted(Mail.CONFIRM, state, None, restricted=False, suppression=one.suppression)
