"""Mail to read: what came and only a human understands, kept here or still in the mailbox, and four things to do."""

from contextlib import suppress
from datetime import timedelta

from flask import abort, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from subscriptions.inbound import to_read
from subscriptions.inbound.imap import NoMailbox
from subscriptions.inbound.to_read import ToRead
from subscriptions.parts import current_parts
from subscriptions.store import arrivals, audit
from subscriptions.store.engine import reading
from subscriptions.web.admin import Answer, guard, pages, people_help, telling
from subscriptions.web.admin.people import the_person
from subscriptions.web.http.adapter import now

WEEK = timedelta(days=7)


def is_on() -> bool:
    """Whether mail is received at all."""
    return bool(current_parts().settings.inbound.address)


def _may() -> bool:
    """Also of pages that are not only about letters."""
    return is_on() and guard.may("desk.mail_to_read")


def _check() -> None:
    if not _may():
        abort(404)


@pages.get("/mail")
def mail_to_read() -> str:
    return _page()


def _page(problem: str = "") -> str:
    _check()
    parts, away, waiting = current_parts(), "", to_read.kept()
    try:
        waiting += to_read.in_mailbox(parts) if parts.settings.inbound.imap_host else []
    except NoMailbox as error:
        away = str(error)
    audit.note(guard.act("mail show").of(len(waiting)))
    with reading() as session:
        wishes = arrivals.since(session, now() - WEEK, "wish done")
    told = {"waiting": waiting, "away": away, "wishes": wishes, "problem": problem, "done": telling.done()}
    return _rendered("desk/letters.html", **told)


def _rendered(template: str, **told: object) -> str:
    return render_template(template, may_enter=guard.may("desk.enter_request"), **told)


@pages.errorhandler(NoMailbox)
def _away(_: NoMailbox) -> Answer:
    """The page itself says why."""
    return _page(), 503


def find(id_: str) -> ToRead:
    """One that still waits."""
    _check()
    return to_read.find(current_parts(), id_) or abort(404)


def close(id_: str, how: str) -> bool:
    _check()
    return to_read.close(current_parts(), id_, guard.act(f"mail {how}"))


def close_after(id_: str, how: str) -> None:
    """Of one that was acted on: that is done, and is not said to have failed where the mailbox is away just now."""
    if _may():
        with suppress(NoMailbox):
            close(id_, how)


@pages.get("/mail/<id_>")
def read_letter(id_: str) -> str:
    """Of those in the mailbox the mail program is the place to read."""
    found = find(id_)
    if not found.is_kept:
        abort(404)
    audit.note(guard.act("mail read", about=found.key))
    return _rendered("desk/letter.html", one=found)


@pages.post("/mail/<id_>/<any(answered, ignored):how>")
def close_letter(id_: str, how: str) -> Answer:
    if not close(id_, how):
        return _page(gettext("Somebody has dealt with this email in the meantime.")), 409
    return redirect(url_for("desk.mail_to_read", done=how), 303)


@pages.route("/mail/<id_>/unsubscribe", methods=["GET", "POST"])
def unsubscribe_letter(id_: str) -> Answer:
    """As for somebody who said so by email; what they wrote stays in the evidence by its hash."""
    letter = find(id_)
    try:
        found = the_person(letter.key.hex() if letter.key else "")
    except HTTPException:
        return _page(gettext("The sender of this email is subscribed to nothing. Nothing was changed.")), 409
    done = people_help.unsubscribe(found, {"channel": "email"}, {"message_sha256": letter.sha256.hex()})
    if isinstance(done, Response):
        close_after(id_, "unsubscribed")
    return done
