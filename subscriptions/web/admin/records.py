"""The audit, read."""

import re

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from subscriptions.domain.address import KEY_BYTES
from subscriptions.parts import current_parts
from subscriptions.store import accounts, audit
from subscriptions.store.engine import reading
from subscriptions.web.admin import acts_told, door, guard, pages

ON_A_PAGE = 100
_LARGEST = 2**63 - 1  # of the numbers that rows have


@pages.get("/audit")
def audit_page() -> str:
    """Newest first, by hundreds; what was about one person, where their key is named. It tells of every list."""
    before, about = request.args.get("before", type=int), request.args.get("about", "")
    before = before if before and 0 < before <= _LARGEST else None
    return _page(before, about if re.fullmatch(f"[0-9a-f]{{{2 * KEY_BYTES}}}", about) else "")


@pages.post("/audit")
def find_audited() -> Response | tuple[str, int]:
    """A POST, since no address stands in a URL."""
    typed = request.form.get("about", "").strip()
    if not typed:
        return redirect(url_for("desk.audit_page"), 303)
    address, problem = door.address(typed)
    if problem:
        return _page(None, "", typed, problem), 422
    key = current_parts().links.key(address)
    audit.note(guard.act("audit show", about=key))
    return redirect(url_for("desk.audit_page", about=key.hex()), 303)


def _page(before: int | None, about: str, typed: str = "", problem: str = "") -> str:
    with reading() as session:
        found = audit.newest(session, ON_A_PAGE + 1, before, bytes.fromhex(about) or None)
        names = {str(row.id): row.email for row in accounts.all_of(session)}
    older = found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None
    shown = {"rows": [acts_told.told(row, names) for row in found[:ON_A_PAGE]], "typed": typed, "problem": problem}
    return render_template("desk/audit.html", **shown, about=about, older=older, is_first=before is None)
