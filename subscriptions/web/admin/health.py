"""How the service is, for people."""

from datetime import datetime
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from subscriptions.domain.refusals import Refusal
from subscriptions.jobs import problems, schedule
from subscriptions.jobs.jobs import NAMED
from subscriptions.parts import current_parts
from subscriptions.store import evidence, figures, jobs, meta, outbox, refusals, room, seals
from subscriptions.store.engine import reading
from subscriptions.web.admin import guard, needs, pages
from subscriptions.web.http import condition
from subscriptions.web.http.adapter import now


@pages.get("/health")
def health() -> str:
    """What stands in the way first; then emails, jobs and disk; then what would be better otherwise."""
    said, details = condition.look()
    at, rows = now(), guard.lists()
    with reading() as session:
        found = figures.read(session, [row.id for row in rows], at.date().replace(day=1))
        shown = _facts(session, at)
        wanted = needs.of(rows, found, shown["room"], at.date())
    shown |= {"problems": said, "needs": [need for need in wanted if not need.on_health], "size": needs.size}
    return render_template("desk/health.html", **shown, findings=needs.findings(), breaker=details.get("breaker", ()))


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
        "sealed": seals.newest(session), "backup": condition.last_backup(session),
        "ran": ran, "purge": rows["purge"], "room": room.of(session, current_parts().settings.sqlite_file),
    }  # fmt: skip
