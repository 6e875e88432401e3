"""What happened to somebody, in the words of who reads it."""

from datetime import datetime

from flask import request
from flask_babel import gettext
from markupsafe import Markup

from subscriptions.domain.lifecycle import Registration as State
from subscriptions.domain.lifecycle import Subscription as Standing
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.policy import state_at
from subscriptions.languages import marked
from subscriptions.store.models import Registration, Subscription
from subscriptions.story import Story
from subscriptions.story.said import OfList, Said
from subscriptions.web.http.telling import list_of, parts_of, sentence

__all__ = ["DONE", "done", "is_silent", "list_of", "parts_of", "sentence", "verdicts"]

DONE = {
    "unsubscribe": marked("They are unsubscribed. The evidence is kept."),
    "suppress": marked("Emails to this person are stopped."),
    "lift": marked("Emails to this person are allowed again. Nobody is subscribed by that."),
    "erase": marked("This person is being erased. They get one last email, which says what stays and until when."),
    "hold": marked("On hold: nothing of it is deleted until the hold is lifted."),
    "answered": marked("The email is answered."),
    "ignored": marked("The email is ignored."),
    "release": marked("The hold is lifted. What is overdue is deleted within an hour."),
    "send_again": marked("We are sending the confirmation email once more. The time to confirm stays as it was."),
    "cancel": marked("The sign-up is cancelled and deleted."),
    "correct": marked("The details are corrected."),
    "move": marked(
        "If we can write to the new address, we are sending an email there. Nothing changes until they confirm it."
    ),
    "restrict": marked("Restricted: they get no emails, and nothing else is done with what is stored."),
    "unrestrict": marked("They are no longer restricted."),
    "announce": marked("We are emailing them. The restriction ends once that email has been sent."),
    "sign_up": marked("We are sending them an email to confirm. They are subscribed once they confirm it."),
}


def done() -> str:
    """What the act has done that led to the page at hand."""
    said = DONE.get(request.args.get("done", ""))
    return str(gettext(said)) if said else ""


# The verdict

_GETS = marked("%(who)s has been getting %(list)s since %(time)s.")
_NOT_YET = marked("%(who)s does not get %(list)s yet, because they have not confirmed. They can until %(time)s.")
_LATE = marked("%(who)s does not get %(list)s, because nobody confirmed the sign-up within its time.")
_RESTRICTED = marked("%(who)s does not get %(list)s, because their subscription is restricted.")
_SILENT = marked("%(who)s does not get %(list)s, because all emails to this address are stopped.")
_OVER = {
    Standing.UNSUBSCRIBED: marked("%(who)s does not get %(list)s, because they unsubscribed on %(time)s."),
    Standing.BOUNCED: marked("%(who)s does not get %(list)s, because emails to this address came back on %(time)s."),
    Standing.ERASED: marked("%(who)s does not get %(list)s, because they were erased. The proof is kept."),
}
_NOTHING = marked("%(who)s is on no list. All emails to this address are stopped.")
_UNKNOWN = marked("%(who)s is on no list, and nothing else is stored about them.")
_UNASKED = marked("%(who)s is on no list. Confirmation emails to this address are stopped.")


def is_silent(told: Story) -> bool:
    """Whether no email at all may reach the address."""
    return any(one.is_never for one in told.against)


def verdicts(told: Story, address: str | None, now: datetime) -> list[Markup]:
    """Whether somebody gets the emails of each list that knows them, and if not, why; what is, before what was."""
    who = Markup("<bdi>{}</bdi>").format(address) if address else gettext("This person")
    rows = [record.row for record in (*told.sign_ups, *told.subscriptions)]
    latest: dict[int, Registration | Subscription] = {}
    for row in sorted(rows, key=_weight):
        latest[row.list_id] = row
    never = {one.list_id for one in told.against if one.scope is SuppressionScope.ALL}
    found = [_verdict(row, not never.isdisjoint({None, row.list_id}), now) | {"who": who} for row in latest.values()]
    return [
        sentence(Said(str(one.pop("text")), one), list_of(id_)) for id_, one in zip(latest, found, strict=True)
    ] or [sentence(Said(_NOTHING if is_silent(told) else _UNASKED if told.against else _UNKNOWN, {"who": who}))]


def _weight(row: Registration | Subscription) -> tuple[int, datetime]:
    """What is open decides, then what waits, then what is over; what led to a subscription says nothing of its own."""
    if isinstance(row, Subscription):
        return (3 if row.is_open else 1), row.confirmed_at
    return {State.CONFIRMED: 0, State.PENDING: 2}.get(row.state, 1), row.registered_at


def _verdict(row: Registration | Subscription, silent: bool, now: datetime) -> dict[str, object]:
    of = {"list": OfList(row.list_id)}
    if isinstance(row, Registration):
        waits = state_at(row.state, row.confirm_by, now) is State.PENDING
        return of | {"text": _NOT_YET if waits else _LATE, "time": row.confirm_by}
    if not row.is_open:
        return of | {"text": _OVER.get(row.state, _LATE), "time": row.ended_at}
    return of | {"text": _SILENT if silent else _RESTRICTED if row.restricted else _GETS, "time": row.confirmed_at}
