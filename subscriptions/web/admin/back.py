"""Back from the program that sends: who left there is unsubscribed here, all at once, after a look at how many."""

import hashlib
from datetime import date
from hmac import compare_digest
from typing import Any, NamedTuple

from flask import abort, render_template, request
from flask_babel import gettext, ngettext

from subscriptions.actions import ended
from subscriptions.actions.leave import Withdrawal
from subscriptions.actions.on_behalf import ACTOR
from subscriptions.domain.address import KEY_BYTES
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import audit
from subscriptions.store.models import List
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.admin.act_form import begins, day, today
from subscriptions.web.http import language
from subscriptions.web.intake import pasted

WAYS = {"sender": marked("In the program that sends the newsletter"), "email": marked("By email"),
        "phone": marked("By phone"), "letter": marked("By letter")}  # fmt: skip
NAMED = 100  # lines that are named with what they say


class Looked(NamedTuple):
    """What was looked at, as the page carries it from there to the button; `mark`: that it comes from there."""

    slug: str
    way: str
    day: str
    sha256: str  # of the file, or of what was pasted
    total: str
    keys: str  # of whom the button unsubscribes

    @property
    def mark(self) -> str:
        return current_parts().links.key("\0".join(("back from the sender", *self))).hex()


@pages.route("/export/back", methods=["GET", "POST"])
def back() -> Answer:
    if request.method != "POST":
        return _page()
    if "keys" in request.form:
        return _end(Looked(*(request.form.get(name, "") for name in Looked._fields)))
    row, way = guard.the_list(request.form.get("list", "")), request.form.get("way", "")
    (left_on, problem), octets = day(row, "left_on"), _sent()
    if way not in WAYS or problem or not octets.strip():
        missing = gettext("Please say how they told you.") if way not in WAYS else gettext("Please add the addresses.")
        return _page(problem or missing)
    try:
        found = pasted.read(octets)
    except pasted.TooMany:
        said = gettext("Please send at most %(num)d lines and 5 MB at once.",
                       num=pasted.MOST_LINES)  # fmt: skip
        return _page(said)
    parts = current_parts()
    keys = ended.still_open([parts.links.key(address) for address in found.addresses], row.id)
    audit.note(guard.act("people back look", list=row.slug).of(len(found.addresses)))
    sha256, total = hashlib.sha256(octets).hexdigest(), str(len(found.addresses))
    looked = Looked(row.slug, way, (left_on or today(row)).isoformat(), sha256, total, _joined(keys))
    return _page(bad=found.bad, **_shown(looked, row, len(keys)))


def _sent() -> bytes:
    """The file, or what was pasted: a file has the last word, since it takes a purpose to choose one."""
    file = request.files.get("file")
    return (file.read() if file else b"") or request.form.get("addresses", "").encode()


def _joined(keys: list[bytes]) -> str:
    return b"".join(keys).hex()


def _shown(looked: Looked, row: List, count: int) -> dict[str, Any]:
    return {"looked": looked, "of": language.said(row), "count": count, "rest": int(looked.total) - count}


def _end(looked: Looked) -> Answer:
    """What was looked at, and nothing else; pressed twice, the second time changes nothing."""
    row = guard.the_list(looked.slug)
    if not compare_digest(looked.mark, request.form.get("mark", "").encode("ascii", "replace").decode()):
        abort(404)
    octets = bytes.fromhex(looked.keys)
    keys = [octets[start : start + KEY_BYTES] for start in range(0, len(octets), KEY_BYTES)]
    channel = Channel.DESK if looked.way == "sender" else Channel(looked.way)
    reason = "left in the newsletter program" if looked.way == "sender" else f"revoked by {channel}"
    received = begins(date.fromisoformat(looked.day), row)
    how = Withdrawal(Event.UNSUBSCRIBE, channel, reason, ACTOR, received, {"sha256": looked.sha256})
    act = guard.act("people back", list=row.slug, way=looked.way, sha256=looked.sha256)
    done = ended.end(keys, row.id, how, act.at, current_parts().policy, act)
    left = ended.still_open(keys, row.id)
    said = ngettext("%(num)d subscription has ended.", "%(num)d subscriptions have ended.", done)
    others = int(looked.total) - len(keys)
    if left:
        return _page(done=said, **_shown(looked._replace(keys=_joined(left)), row, len(left)))
    absent = ngettext("%(num)d address was not subscribed.", "%(num)d addresses were not subscribed.", others)
    return _page(done=f"{said} {absent}")


def _page(problem: str = "", **shown: Any) -> Answer:
    rows = guard.lists()
    page = render_template("desk/back.html", problem=problem, rows=rows, ways=WAYS, named=NAMED, typed=request.form,
                           today=today(rows[0]).isoformat() if rows else "", **shown)  # fmt: skip
    return (page, 422) if problem else page
