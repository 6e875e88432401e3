"""How the service is, for people."""

from flask import render_template

from subscriptions.parts import current_parts
from subscriptions.store import jobs
from subscriptions.store.engine import reading
from subscriptions.web.admin import pages
from subscriptions.web.http import condition


@pages.get("/health")
def health() -> str:
    """What stands in the way first, then what would be better otherwise, then the jobs."""
    problems, details = condition.look()
    with reading() as session:
        rows = {row.name: row for row in jobs.all_of(session)}
    ran = [{"name": name, "at": rows[name].ended_at, "count": rows[name].count} for name in details.get("jobs", {})]
    shown = {"problems": problems, "findings": [*current_parts().warnings, *condition.guesses()], "ran": ran}
    return render_template(
        "desk/health.html", **shown, outbox=details.get("outbox"), breaker=details.get("breaker", ())
    )
