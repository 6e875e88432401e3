"""What the buttons of the preferences page do; each ends with the page again and a sentence of what happened."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from flask import abort, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import correct as correcting
from subscriptions.actions import leave as leaving
from subscriptions.actions import move, profile, suppress
from subscriptions.actions.gate import Limited
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.profile import Outcome, Profile
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.address import Address, BadAddress, RefusedAddress, parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.languages import marked
from subscriptions.links import Session
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import language
from subscriptions.web.http.adapter import incoming
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import too_many
from subscriptions.web.intake.fields import keys_of, wrong_in
from subscriptions.web.intake.parse import choice
from subscriptions.web.intake.submit import NO_PROOF, complete
from subscriptions.web.pages.preferences.view import Said, about, joins, offered, page

Answer = BaseResponse | tuple[str, int]
_BY = Channel.PREFERENCES


def _show(session: Session, token: str) -> Answer:
    return page(session, token, Said())


def _leave(session: Session, token: str) -> Answer:
    row = _the_list()
    how = Withdrawal(Event.UNSUBSCRIBE, _BY, "left on the preferences page")
    leaving.leave(session.key, row.id, how, current_parts().clock.now(), current_parts().policy)
    return page(session, token, Said(gettext("You have left %(list)s. It took effect at once.", list=row.name)))


def _leave_all(session: Session, token: str) -> Answer:
    how = Withdrawal(Event.UNSUBSCRIBE, _BY, "left all lists on the preferences page")
    leaving.leave(session.key, None, how, current_parts().clock.now(), current_parts().policy)
    return page(session, token, Said(gettext("You have left all lists. It took effect at once.")))


def _join(session: Session, token: str) -> Answer:
    """A new double opt-in, with the wording that stood beside the button."""
    row, known = _the_list(), profile.look(session.key, current_parts().clock.now())
    if not joins(row, known) or known.address is None:
        abort(404)
    wording = current_parts().catalogue.wordings.get(request.form.get("wording", ""))
    if wording is None or wording.list_id != row.id:
        return page(session, token, Said(problems=[Problem("", _NOT_ITS_WORDING)]))
    sign_up = _sign_up(parse(known.address), {row: wording.id}, _told(known))
    # the mailbox is proven, so only its own budget limits it, like a button of a mail
    current_parts().sign_ups.submit(sign_up._replace(origin=replace(sign_up.origin, network=None)))
    outcome, at = profile.became(sign_up.ref, sign_up.key, row.id, current_parts().clock.now(), current_parts().policy)
    return page(session, token, Said(_became(outcome, row, at)))


def _became(outcome: Outcome, row: List, at: datetime) -> str:
    return str(gettext(_BECAME[outcome], list=row.name, time=language.words(at)))


_BECAME = {
    Outcome.MAILED: marked("A confirmation mail for %(list)s is on its way. You are subscribed once you confirm it."),
    Outcome.WAITS: marked(
        "A confirmation mail for %(list)s leaves at %(time)s: we leave some time between two mails to one address. "
        "You are subscribed once you confirm it."
    ),
    Outcome.CLOSED: marked(
        "We cannot send another mail before %(time)s: to protect mailboxes, we send only a few to one address. "
        "Please try again then."
    ),
    Outcome.QUIET: marked("You do not want confirmation mails. Allow them again first, then subscribe."),
    Outcome.OPEN: marked("You are subscribed to %(list)s."),
}
_NOT_ITS_WORDING = marked("This consent text is not one of this list. Please load the form again.")


def _correct(session: Session, token: str) -> Answer:
    known = profile.look(session.key, current_parts().clock.now())
    mine_to_tell = {one.key: one for one in offered(known) if one.key in request.form}
    fields = {key: request.form[key].strip() for key in mine_to_tell}
    wrong = [Problem(*found) for key, one in mine_to_tell.items() for found in wrong_in(one, fields[key])]
    locale = current_parts().languages.known(request.form.get("locale", ""))
    if wrong:
        return page(session, token, Said(problems=wrong, told=fields))
    details = correcting.Details(locale, fields)
    lists = current_parts().catalogue.lists
    may = {one.list_id: keys_of([lists[one.list_id]]) for one in known.open}
    correcting.correct(session.key, details, may, current_parts().clock.now())
    return page(session, token, Said(gettext("Your details are saved.")))


def _move(session: Session, token: str) -> Answer:
    """Another address, by a double opt-in of its own; what we know of that one is told to nobody (L-14)."""
    typed, known = request.form.get("email", ""), profile.look(session.key, current_parts().clock.now())
    try:
        address = parse(typed)
    except BadAddress as error:
        wrong = Problem("email", str(error), by_library=isinstance(error, RefusedAddress))
        return page(session, token, Said(problems=[wrong], typed=typed))
    lists = movable(known)
    if current_parts().links.key(address.folded) == session.key or not lists:
        return page(session, token, Said(problems=[Problem("email", _NO_OTHER)], typed=typed))
    sign_up = _sign_up(address, {row: row.wording_id for row in lists}, _told(known))
    mark = current_parts().links.try_key(b"moves" + session.key)
    refused = move.begin(sign_up, session.key, mark, current_parts().clock.now(), current_parts().policy)
    if isinstance(refused, move.Enough):
        return page(session, token, Said(_became(Outcome.CLOSED, lists[0], refused.until), typed=typed))
    if isinstance(refused, Limited):
        return too_many(refused)
    current_parts().watch.note([row.id for row in lists], address.ascii_domain)
    current_parts().wake_sender()
    return page(session, token, Said(gettext(_MOVES, address=address.mailed)))


_NO_OTHER = marked("This is the address that you have. Please enter the new one.")
_MOVES = marked(
    "If %(address)s can be written to, a confirmation mail is on its way there. "
    "Until it is confirmed, everything stays as it is."
)


def movable(known: Profile) -> list[List]:
    """The lists that a new address can take over: those that take sign-ups, and where nothing is restricted."""
    lists = current_parts().catalogue.lists
    rows = [lists[one.list_id] for one in known.open if not one.restricted]
    return [row for row in rows if row.position is not None]


def _sign_up(address: Address, wordings: Mapping[List, str], told: Mapping[str, str]) -> SignUp:
    """For these lists, each with its wording; a mailbox is proven, which is more than a computation proves."""
    asked_for, links = keys_of([*wordings]), current_parts().links
    fields = {key: text for key, text in told.items() if key in asked_for}
    name, locale = fields.pop("name", None), told.get("locale") or language.current()
    choices = tuple(choice(row, id_, current_parts().catalogue) for row, id_ in wordings.items())
    sign_up = SignUp(address, choices, name, locale, fields or None)
    return complete(sign_up, links.ref(links.new_handle()), _BY, incoming(), current_parts(), brings=NO_PROOF)


def _told(known: Profile) -> dict[str, str]:
    newest = max(known.open, key=lambda one: one.id, default=None)
    return correcting.fields_of(newest) | {"locale": newest.locale} if newest else {}


def _never(session: Session, token: str) -> Answer:
    """Asks once (U-11)."""
    row = about(profile.look(session.key, current_parts().clock.now()))
    return render_template("pages/preferences_never.html", session=token, footer=row), 200


def _never_surely(session: Session, token: str) -> Answer:
    now, policy = current_parts().clock.now(), current_parts().policy
    suppress.suppress(session.key, SuppressionScope.ALL, "never write to me again", now, policy, None, _BY)
    return page(session, token, Said(gettext("We will not write to you again."), undo=True))


def _lift(session: Session, token: str) -> Answer:
    try:
        scope = SuppressionScope(request.form.get("scope", ""))
    except ValueError:
        abort(404)
    suppress.lift(session.key, scope)
    return page(session, token, Said(gettext(_LIFTED[scope])))


_LIFTED = {
    SuppressionScope.CONFIRMATIONS: marked("Confirmation mails are allowed again."),
    SuppressionScope.ALL: marked("We may write to you again. Subscriptions that ended do not come back by themselves."),
}


def _the_list() -> List:
    slug = request.form.get("list", "")
    row = next((one for one in current_parts().catalogue.lists.values() if one.slug == slug), None)
    return row or abort(404)


ACTS: dict[str, Callable[[Session, str], Answer]] = {
    "show": _show,
    "leave": _leave,
    "leave-all": _leave_all,
    "join": _join,
    "correct": _correct,
    "move": _move,
    "never": _never,
    "never-surely": _never_surely,
    "lift": _lift,
}
