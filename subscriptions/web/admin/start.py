"""The first page of the desk: what needs somebody, and how many people there are."""

from flask import render_template

from subscriptions.parts import current_parts
from subscriptions.store import subscriptions
from subscriptions.store.engine import reading
from subscriptions.web.admin import guard, pages
from subscriptions.web.http.adapter import now


@pages.get("/")
def start() -> str:
    with reading() as session:
        counts = subscriptions.counts(session, now())
    lists = [{"list": row, **counts[row.id]} for row in guard.lists()]
    needs = current_parts().warnings if guard.who().lists is None else []
    return render_template("desk/start.html", lists=lists, needs=needs)
