"""How the service is, and whether its emails arrive, for people."""

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from subscriptions.doctor import run
from subscriptions.domain.refusals import Refusal
from subscriptions.domain.texts import Sentence, marked
from subscriptions.inbound import own_mail
from subscriptions.jobs import problems, schedule
from subscriptions.jobs.jobs import NAMED
from subscriptions.mail.preview import Previews
from subscriptions.mail.smtp import GiveUp, Later, Pause
from subscriptions.parts import current_parts
from subscriptions.store import audit, evidence, figures, jobs, meta, outbox, refusals, room, seals
from subscriptions.store.engine import reading, transaction
from subscriptions.web.admin import Answer, guard, needs, pages
from subscriptions.web.http import condition, language
from subscriptions.web.http.adapter import now

SOON = 3.0  # seconds
_checking = threading.Lock()  # one look at a time: who presses twice finds what the first has found
_JOB = marked("“%(does)s” (%(name)s)")


@pages.get("/health")
def health() -> str:
    is_running = gettext("The check is still running. Open this page again in half a minute.")
    return _page(done=is_running if "still" in request.args else "")


def _page(**answer: Any) -> str:
    """What stands in the way first; then emails, jobs and disk; then what would be better otherwise."""
    said, details = condition.look()
    at, rows = now(), guard.lists()
    with reading() as session:
        found = figures.read(session, [row.id for row in rows], at.date().replace(day=1))
        shown = _facts(session, at)
        wanted = needs.of(rows, found, shown["room"], at.date())
        checked = run.kept(session) if guard.may("desk.check_health") else None
    shown |= {"problems": said, "needs": [need for need in wanted if not need.on_health], "size": needs.size,
              "checked": checked, "may_check": guard.may("desk.check_health"), "lists": rows,
              "for_people": for_people}  # fmt: skip
    return render_template("desk/health.html", **shown, findings=needs.findings(), breaker=details.get("breaker", ()),
                           **answer)  # fmt: skip


@pages.post("/health/check")
def check_health() -> Answer:
    """Look anew; at an email that arrived, where its source is given."""
    file = request.files.get("file")
    octets = (file.read() if file else b"") or request.form.get("source", "").encode()
    try:
        if octets.strip():
            run.take(current_parts(), octets)
    except own_mail.NotOurs as error:
        return _page(problem=language.translated(error.args[0]), typed=request.form.get("source", "")), 422
    audit.note(guard.act("health check"))
    _beside(_check)
    return redirect(url_for("desk.health", still=1 if _checking.locked() else None, _anchor="arrives"), 303)


def _check() -> None:
    if _checking.acquire(blocking=False):
        try:
            run.keep(run.run(current_app._get_current_object()), now())  # type: ignore[attr-defined]
        finally:
            _checking.release()


def _beside(work: Callable[[], None]) -> bool:
    """In a thread of its own, since nobody waits five seconds for a page; whether it has ended meanwhile."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def working() -> None:
        with app.app_context():
            work()

    thread = threading.Thread(target=working, daemon=True)
    thread.start()
    thread.join(SOON)
    return not thread.is_alive()


@pages.post("/health/send")
def send_to_me() -> Answer:
    """The confirmation mail as it is, to the account's own address, and to where the mail that comes is read."""
    parts, row, mid = current_parts(), guard.the_list(request.form.get("list", "")), secrets.token_hex(16)
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, now())
    own = filter(None, (guard.account().email, parts.settings.inbound.address))  # there it is read as it arrived
    mails = [previews.sample(row, language.current(), to, mid) for to in own]
    with transaction() as session:
        audit.write(session, guard.act("health send", list=row.slug))
        own_mail.expect(session, mid)
    said: list[Exception | str] = []

    def send() -> None:
        try:
            said.extend([parts.sender.try_out(mail) for mail in mails])
        except (Pause, Later, GiveUp) as error:
            said.append(error)

    if not _beside(send) or not said:
        return _page(done=gettext("The mail server has not answered yet. Look into your mailbox in a minute."))
    if isinstance(said[0], Exception):
        return _page(problem=gettext("The mail server did not take it: %(why)s", why=str(said[0]))), 409
    return _page(done=gettext("The mail server took it: %(reply)s", reply=said[0]))


def for_people(said: str) -> str:
    """A job by what it does, and times as the page writes them."""
    if not isinstance(said, Sentence):
        return said
    return Sentence(said.text, **{name: _for_people(name, value) for name, value in said.values.items()})


def _for_people(name: str, value: object) -> object:
    if name == "job" and value in NAMED:
        return Sentence(_JOB, does=Sentence(NAMED[str(value)].does), name=value)
    if name == "time":
        with suppress(ValueError):  # some are in words already
            return language.words(datetime.fromisoformat(str(value))).striptags()
    return for_people(value) if isinstance(value, str) else value


def _facts(session: Session, at: datetime) -> dict[str, Any]:
    rows = {row.name: row for row in jobs.all_of(session)}
    waiting, oldest = outbox.waiting(session)
    ran = [
        {"row": rows[name], "next": schedule.next_time(job, at), "does": job.does}
        for name, job in NAMED.items()
        if name in rows
    ]
    return {
        "well_since": problems.well_since(session), "versions": meta.versions(session),
        "set_aside": refusals.number(session, Refusal.ASIDE), "waiting": waiting, "oldest": oldest,
        "last_mail": evidence.last_mailed_at(session), "deliver": rows["deliver"],
        "sealed": seals.newest(session), "backup": meta.last_backup(session),
        "ran": ran, "purge": rows["purge"], "room": room.of(session, current_parts().settings.sqlite_file),
    }  # fmt: skip
