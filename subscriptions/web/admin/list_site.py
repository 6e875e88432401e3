"""The form on somebody's site: what to paste, which sites may show it, and what has come from there."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from subscriptions.actions import Refused
from subscriptions.actions import lists as acts
from subscriptions.domain.roles import Right
from subscriptions.domain.sites import host_of
from subscriptions.parts import current_parts
from subscriptions.store import evidence, list_changes, lists
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Owner, Wording
from subscriptions.web.admin import Answer, guard, pages
from subscriptions.web.admin.list_editor import said_of
from subscriptions.web.embed import options, owner_page, site
from subscriptions.web.http.adapter import now

LOOKED_AT = 10_000  # the newest sign-ups, of all lists


class Seen(NamedTuple):
    """A site of the list. `old`: the wording that it still shows; `sign_ups`: with it since it is old."""

    host: str
    has_come: bool
    old: Wording | None = None
    sign_ups: int = 0


def seen(row: List) -> list[Seen]:
    """Each site that the list names, by the newest sign-ups: what a form vouches for, stood there."""
    known, current = current_parts().catalogue.wordings, lists.current(row)
    since: datetime = max(known[id_].valid_from for id_ in current)
    with reading() as session:
        found = evidence.sites_of_list(session, row.id, since, LOOKED_AT)
    sites = []
    for host in map(host_of, row.origins):
        here = [(known[id_], number) for from_, id_, vouched, number in found if from_ == host and vouched and number]
        old = [one for one in here if one[0].id not in current and one[0].valid_from < since]
        wording, number = max(old, key=lambda one: one[1], default=(None, 0))
        sites.append(Seen(host, any(from_ == host for from_, *_ in found), wording, number))
    return sites


@pages.get("/lists/<slug>/site")
def list_site(slug: str) -> str:
    return _page(guard.any_list(slug))


@pages.post("/lists/<slug>/site")
def allow_site(slug: str) -> Answer:
    """Let a website show the form, with and without www."""
    row, typed = guard.any_list(slug), request.form.get("site", "")
    asked = site.asked(typed[:2000], [row])
    if not asked.origins:
        return _page(row, problem=gettext(asked.trouble or site.NO_SITE), typed=typed), 422
    try:
        _allow(row, asked.origins)
    except Refused as error:
        return _page(row, problem=gettext(str(error)), typed=typed), 422
    current_parts().follow()
    return redirect(url_for("desk.list_site", slug=row.slug), 303)


def _allow(row: List, origins: Sequence[str]) -> None:
    """And nothing else of the list, whatever somebody else has just written; raises Refused."""
    said = said_of(row)
    said = replace(said, origins=tuple(dict.fromkeys([*said.origins, *origins])))
    try:
        acts.change(asdict(said), now(), guard.act("lists edit", list=row.slug), list_changes.mark(row))
    except acts.Stale:
        current_parts().follow()
        _allow(guard.any_list(row.slug), origins)


def _page(row: List, **said: str) -> str:
    may_allow = guard.who().may(Right.TEXTS) and row.owner is not Owner.FILE
    snippets = owner_page.snippets(options.read(row, MultiDict()))
    return render_template("desk/list_site.html", row=row, sites=seen(row), may_allow=may_allow, looked_at=LOOKED_AT,
                           **snippets, **said)  # fmt: skip
