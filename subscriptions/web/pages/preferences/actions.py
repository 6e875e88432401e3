"""What the buttons of the preferences page do; each ends with what the page then says, or with an answer of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flask import Response, abort, render_template, request
from flask_babel import gettext
from markupsafe import Markup

from subscriptions.actions import correct, leave, move, preferences, suppress
from subscriptions.actions.gate import Limited
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.preferences import Outcome, Profile
from subscriptions.actions.subscribe import SignUp
from subscriptions.domain.address import Address, parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.languages import marked
from subscriptions.links import Session
from subscriptions.mail import responsible
from subscriptions.parts import current_parts
from subscriptions.store.lists import controller_of
from subscriptions.store.models import List
from subscriptions.web.http import language
from subscriptions.web.http.adapter import incoming, now
from subscriptions.web.http.branding import everybody
from subscriptions.web.http.lists import any_list
from subscriptions.web.http.problem import Problem
from subscriptions.web.http.problems import too_many
from subscriptions.web.intake.fields import keys_of, wrong_in
from subscriptions.web.intake.parse import NOT_ITS_WORDING, Named, address_in, choice, is_of
from subscriptions.web.intake.submit import NO_PROOF, complete
from subscriptions.web.pages.preferences import rights
from subscriptions.web.pages.preferences.view import Said, about, addressees, called, joins, known, offered

_BY = Channel.PREFERENCES


def _leave(session: Session) -> Said:
    row = _named_list()
    how = Withdrawal(Event.UNSUBSCRIBE, _BY, "left on the preferences page")
    leave.leave(session.key, row.id, how, now(), current_parts().policy)
    return Said(lambda: language.in_markup(_LEFT, list=language.named(row)))


_LEFT = marked("You have left %(list)s. You will get no more emails from this list.")


def _leave_all(session: Session) -> Said:
    how = Withdrawal(Event.UNSUBSCRIBE, _BY, "left all lists on the preferences page")
    leave.leave(session.key, None, how, now(), current_parts().policy)
    return Said(lambda: gettext("You have left all lists. You will get no more newsletters."))


def _join(session: Session) -> Said:
    row, mine, parts = _named_list(), known(session), current_parts()
    if not joins(row, mine) or mine.address is None:
        abort(404)
    wording_id = request.form.get("wording", "")
    if not is_of(wording_id, row, parts.catalogue):
        return Said(problems=[Problem("", NOT_ITS_WORDING)])
    sign_up = _sign_up(parse(mine.address), [Named(row, wording_id)], _told(mine))
    # the mailbox is proven, so only its own budget limits it, like a button of a mail
    parts.sign_ups.submit(sign_up._replace(origin=replace(sign_up.origin, network=None)))
    outcome, at = preferences.became(sign_up.ref, sign_up.key, row.id, now(), parts.policy, sign_up.mailbox)
    return Said(lambda: _became(outcome, row, at))


def _became(outcome: Outcome, row: List, at: datetime) -> str:
    return language.in_markup(_BECAME[outcome], list=language.named(row), time=language.words(at))


_BECAME = {
    Outcome.MAILED: marked("We are sending you an email to confirm %(list)s. You are subscribed once you confirm."),
    Outcome.WAITS: marked("We will send the confirmation email for %(list)s on %(time)s, because we leave some "
                          "time between two emails to the same address. You are subscribed once you confirm."),
    Outcome.CLOSED: marked("We cannot send another email before %(time)s. To protect mailboxes, we send only a few "
                           "emails to each address. Please try again then."),
    Outcome.QUIET: marked("You do not want confirmation emails. Allow them again first, then subscribe."),
    Outcome.OPEN: marked("You are already subscribed to %(list)s. Nothing has changed."),
}  # fmt: skip


def _correct(session: Session) -> Said:
    mine, parts = known(session), current_parts()
    fields = {field.key: field for field in offered(mine) if field.key in request.form}
    told = {key: request.form[key].strip() for key in fields}
    wrong = [Problem(*found) for key, field in fields.items() for found in wrong_in(field, told[key])]
    if wrong:
        return Said(problems=wrong, told=told)
    may = {row.list_id: keys_of([parts.catalogue.lists[row.list_id]]) for row in mine.open}
    locale = parts.languages.known(request.form.get("locale", ""))
    correct.correct(session.key, told, locale, may, now())
    return Said(lambda: gettext("Your details are saved."))


def _move(session: Session) -> Said | Response:
    """Another address, by a double opt-in of its own; what we know of that one is told to nobody."""
    typed, mine, parts = request.form.get("email", ""), known(session), current_parts()
    address, lists = address_in(request.form, special=parts.settings.takes_special), movable(mine)
    about(mine)
    if isinstance(address, Problem):
        return Said(problems=[address], typed=typed)
    if parts.links.key(address.folded) == session.key or not lists:
        return Said(problems=[Problem("email", _NO_OTHER)], typed=typed)
    sign_up = _sign_up(address, [Named(row, None) for row in lists], _told(mine))
    mark = parts.links.try_key(b"moves" + (session.mailbox or session.key))
    refused = move.begin(sign_up, session.key, mark, now(), parts.policy)
    if isinstance(refused, datetime):
        return Said(lambda: _became(Outcome.CLOSED, lists[0], refused), typed=typed)
    if isinstance(refused, Limited):
        return too_many(refused)
    parts.watch.note([row.id for row in lists], address.ascii_domain)
    parts.wake_sender()
    shown = Markup("<bdi>{}</bdi>").format(address.mailed)
    return Said(lambda: language.in_markup(_MOVES, address=shown))


_NO_OTHER = marked("This is the address we already have. Please enter the new one.")
_MOVES = marked(
    "If we can write to %(address)s, we are sending a confirmation email there. Nothing changes until you confirm."
)


def movable(mine: Profile) -> list[List]:
    """The lists that a new address can take over: those that take sign-ups, and where nothing is restricted."""
    catalogue = current_parts().catalogue
    return catalogue.by_slugs(catalogue.lists[row.list_id].slug for row in mine.open if not row.restricted)


def _sign_up(address: Address, asked: Sequence[Named], told: Mapping[str, str]) -> SignUp:
    asked_for, parts = keys_of([named.list for named in asked]), current_parts()
    fields = {key: text for key, text in told.items() if key in asked_for}
    name, locale = fields.pop("name", None), told.get("locale") or language.current()
    choices = tuple(choice(named, locale, parts.catalogue) for named in asked)
    sign_up = SignUp(address, choices, name, locale, fields or None)
    return complete(sign_up, parts.links.ref(parts.links.new_handle()), _BY, incoming(), parts, brings=NO_PROOF)


def _told(mine: Profile) -> dict[str, str]:
    newest = max(mine.open, key=lambda row: row.id, default=None)
    return correct.fields_of(newest) | {"locale": newest.locale} if newest else {}


def _never(session: Session) -> Response:
    """Asks once; of whom, where there are several."""
    mine = known(session)
    footer = about(mine)
    shown = {"session": request.form["session"], "controllers": called(addressees(mine))}
    return Response(render_template("pages/preferences_never.html", footer=footer, **shown))


def one_of(rows: Sequence[List]) -> List:
    """The one of these that the form names."""
    return next((row for row in rows if row.slug == request.form.get("list")), None) or abort(404)


def who_of(row: List) -> str:
    return responsible.who(row, current_parts().settings.mail.sender)


def _never_surely(session: Session) -> Said:
    """Of one controller, where a list of theirs is named; else of all."""
    policy = current_parts().policy
    if "list" in request.form:
        row, lists = one_of(addressees(known(session))), current_parts().catalogue.lists.values()
        name = controller_of(row)
        of = leave.Controller(name, [other.id for other in lists if controller_of(other) == name])
        leave.object_to(of, session.key, Withdrawal(Event.OBJECT, _BY, NEVER), now(), policy, session.mailbox)
        return Said(lambda: gettext(_NEVER, who=who_of(language.said(row))), undo=True, controller=name)
    suppress.suppress(session.key, SuppressionScope.ALL, NEVER, now(), policy, None, _BY, mailbox=session.mailbox)
    return Said(lambda: gettext(_NEVER, who=everybody(current_parts().settings)), undo=True)


NEVER = "never write to me again"


_NEVER = marked("We will not write to you again about any list from %(who)s.")


def _lift(session: Session) -> Said:
    try:
        scope = SuppressionScope(request.form.get("scope", ""))
    except ValueError:
        abort(404)
    controller = request.form.get("controller", "") if scope is SuppressionScope.ALL else None
    if controller and controller not in {controller_of(row) for row in current_parts().catalogue.lists.values()}:
        abort(404)
    suppress.lift(session.key, scope, mailbox=session.mailbox, controller=controller)
    return Said(lambda: gettext(_LIFTED[scope]))


_LIFTED = {
    SuppressionScope.CONFIRMATIONS: marked("Confirmation emails are allowed again."),
    SuppressionScope.ALL: marked(
        "We may write to you again. Subscriptions that have ended do not come back by themselves."
    ),
}


def _named_list() -> List:
    return any_list(request.form.get("list", ""))


ACTS: dict[str, Callable[[Session], Said | Response | tuple[str, int]]] = {
    "show": lambda _: Said(), "leave": _leave, "leave-all": _leave_all, "join": _join, "correct": _correct,
    "move": _move, "never": _never, "never-surely": _never_surely, "lift": _lift,
    **rights.ACTS,
}  # fmt: skip
