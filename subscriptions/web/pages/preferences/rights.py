"""Rights that the page gives besides leaving and correcting: to see it all, to be erased, to write to the officer."""

from collections.abc import Callable
from datetime import datetime

from flask import Response, abort, render_template, request
from flask_babel import gettext

from subscriptions.actions import erase, requests
from subscriptions.actions.requests import Asked
from subscriptions.domain import reasons
from subscriptions.domain.address import parsed
from subscriptions.domain.evidence import Channel
from subscriptions.domain.policy import REQUESTS
from subscriptions.domain.requests import LONGEST, RequestKind
from subscriptions.languages import marked
from subscriptions.links import Session
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Request
from subscriptions.web.http import language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.problem import Problem
from subscriptions.web.pages.preferences import stored
from subscriptions.web.pages.preferences.view import KINDS, Said, about, addressees, known, page

_IDENTITY = "by a link that was mailed to that address"
_MORE_TIME = marked("You have more time now. You can do this once.")
_ENOUGH = marked("You have had more time already. When this page closes, we can email you a new link.")
_ERASING = marked("We are erasing your data now. An email will tell you what we keep, why, and until when.")
_NOTHING = marked("There is nothing to erase: we store no sign-up and no subscription of yours.")
_EMPTY = marked("Please write what you would like us to do.")
_KIND = marked("Please choose what it is about.")
_MANY = marked("You have written %(num)d times in 24 hours. You can write again from %(time)s.")
_FILED = marked("We have your request. Its number is %(number)d, and we will answer it by %(day)s.")


def _more_time(session: Session) -> tuple[str, int]:
    if not session.may_prolong:
        return page(session, request.form["session"], Said(lambda: gettext(_ENOUGH)))
    links = current_parts().links
    token = links.prolonged_token(session)
    return page(links.read_session(token), token, Said(lambda: gettext(_MORE_TIME)))


def _erase(session: Session) -> Response:
    """Asks once, and says what stays."""
    mine = known(session)
    footer = about(mine)
    stays = current_parts().sender.composer.what_stays(
        mine.kept, language.current(), language.words, language.form())  # fmt: skip
    shown = {"session": request.form["session"], "stays": stays, "never": mine.wants_no_mail}
    return Response(render_template("pages/my_data_erase.html", footer=footer, **shown))


def _erase_surely(session: Session) -> Said:
    parts, never = current_parts(), "never write to me again" if "never" in request.form else ""
    how = Channel.PREFERENCES
    asked = erase.ask(session.key, now(), parts.policy, "", mailbox=session.mailbox, how=how, never=never)
    parts.wake_sender()
    return Said(lambda: gettext(_ERASING if asked.is_asked else _NOTHING))


def _write(session: Session) -> Said:
    mine, parts, form = known(session), current_parts(), request.form
    about(mine)
    kind, (words, problem) = form.get("kind", ""), _words(form.get("words", ""))
    if problem := Problem("kind", _KIND) if kind not in KINDS else problem:
        return Said(problems=[problem], words=form)
    row = next((one for one in addressees(mine) if form.get("list") in (None, one.slug)), None) or abort(404)
    newest = max(mine.open, key=lambda row: row.id, default=None)
    asked = Asked(
        RequestKind(kind), Channel.PREFERENCES, words, row.id, row.timezone, session.key, mine.address,
        locale=newest.locale if newest else language.current(), identity=_IDENTITY, contact=contact(row),
    )  # fmt: skip
    mark = parts.links.try_key(b"requests" + (session.mailbox or session.key))
    filed = requests.ask(asked, mark, parts.links.try_key(b"filed" + (asked.contact or "").encode()), now())
    if isinstance(filed, datetime):
        many = [Problem("words", _MANY, {"num": REQUESTS.count, "time": language.words(filed)})]
        return Said(problems=many, words=form)
    parts.wake_sender()
    return Said(lambda: _filed(filed))


def _words(text: str) -> tuple[str, Problem | None]:
    """What was written, or what is wrong with it."""
    try:
        words = reasons.lines(text, LONGEST)
    except reasons.BadReason as error:
        return "", Problem("words", error.sentence, error.values)
    return words, None if words else Problem("words", _EMPTY)


def _filed(row: Request) -> str:
    return str(gettext(_FILED, number=row.id, day=language.day(row.until)))


def contact(row: List) -> str | None:
    """Where the officer of a list gets mails, if that is an address."""
    found = parsed(row.privacy_contact)
    return found.mailed if found else None


ACTS: dict[str, Callable[[Session], Said | Response | tuple[str, int]]] = {
    "more-time": _more_time, "erase": _erase, "erase-surely": _erase_surely, "write": _write,
    "stored": lambda session: stored.page(session, request.form["session"]),
    "json": lambda session: stored.download(session, "json"), "csv": lambda session: stored.download(session, "csv"),
}  # fmt: skip
