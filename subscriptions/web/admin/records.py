"""The audit, read."""

from typing import Any

from flask import render_template, request
from flask_babel import gettext

from subscriptions.domain.address import BadAddress, parse
from subscriptions.parts import current_parts
from subscriptions.store import accounts, audit
from subscriptions.store.engine import reading
from subscriptions.store.models import ActorKind, Audit
from subscriptions.web.admin import guard, pages

ON_A_PAGE = 100


@pages.get("/audit")
def audit_page() -> str | tuple[str, int]:
    """Newest first, by hundreds; with an address, what was about that person."""
    typed, before = request.args.get("about", "").strip(), request.args.get("before", type=int)
    key, problem = None, ""
    if typed:
        try:
            key = current_parts().links.key(parse(typed[:320]).folded)
            audit.note(guard.act("audit show", about=key))
        except BadAddress as error:
            problem = gettext(error.sentence, **(error.values or {}))
    with reading() as session:
        found = [] if problem else audit.newest(session, at_most=ON_A_PAGE + 1, before=before, about=key)
        names = {str(row.id): row.email for row in accounts.all_of(session)}
    shown = {"rows": [_told(row, names) for row in found[:ON_A_PAGE]], "typed": typed, "problem": problem}
    older = found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None
    page = render_template("desk/audit.html", **shown, older=older, is_first=before is None)
    return (page, 422) if problem else page


def _told(row: Audit, names: dict[str, str]) -> dict[str, Any]:
    who = {
        ActorKind.COMMAND: gettext("%(name)s, on the server", name=row.actor),
        ActorKind.TOKEN: gettext("the token %(name)s", name=row.actor),
        ActorKind.TRY_OUT: gettext("somebody at this machine"),
        ActorKind.ACCOUNT: names.get(row.actor, row.actor),
    }[row.actor_kind]
    details = {name: value for name, value in row.details.items() if value not in (None, [])}
    return {"at": row.at, "who": who, "act": row.act, "count": row.count, "reason": row.reason, "details": details,
            "is_about": row.about is not None}  # fmt: skip
