"""A consent text or a privacy policy as it once stood, for ever: what evidence names, anybody can read."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, abort, render_template, url_for

from subscriptions import languages
from subscriptions.clock import zone_of
from subscriptions.parts import current_parts
from subscriptions.store import lists, policies
from subscriptions.store.engine import reading
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List, Wording
from subscriptions.store.policies import Head
from subscriptions.web.http import language
from subscriptions.web.http.lists import any_list

pages = Blueprint("versions", __name__)


@pages.get("/wording/<id_>")
def wording(id_: str) -> str:
    found = _catalogue("wordings", id_).wordings.get(id_) or abort(404)
    row = current_parts().catalogue.lists[found.list_id]
    versions = [one for one in lists.versions(current_parts().catalogue, row) if one.language == found.language]
    holds = next((one for one in versions if one.id in lists.current(row)), None)
    return _page(row, found, versions, holds, found.text, found.sha256)


@pages.get("/policy/<slug>/<id_>")
def policy(slug: str, id_: str) -> str:
    catalogue = _catalogue("policies", id_)
    row, head = any_list(slug), catalogue.policies.get(id_)
    if head is None or head.list_id != row.id:
        abort(404)
    versions = [one for one in catalogue.policies.values() if one[1:3] == head[1:3]]
    with reading() as session:
        found = policies.find(session, id_) or abort(404)
        session.expunge(found)
    return _page(row, head, versions, versions[-1], found.text, found.sha256, found.last_seen_at)


def _catalogue(kind: str, id_: str) -> Catalogue:
    """Looked up anew for what another process may have kept just now."""
    if id_ not in getattr(current_parts().catalogue, kind):
        current_parts().follow()
    return current_parts().catalogue


def _page(
    row: List, one: Wording | Head, versions: Sequence[Wording | Head], holds: Wording | Head | None, text: str,
    sha256: str, last_seen_at: datetime | None = None,
) -> str:  # fmt: skip
    language.of_list(row)
    is_policy = isinstance(one, Head)
    later = [other for other in versions if other.valid_from > one.valid_from]
    url = _url(row, holds) if holds and holds.id != one.id else None
    shown = {
        "one": one, "text": text, "sha256": sha256, "last_seen_at": last_seen_at, "words": language.words,
        "from_day": day(one.valid_from, row), "to_day": day(later[0].valid_from, row) if later and url else "",
        "today_url": url, "is_policy": is_policy, "address": one.url if isinstance(one, Head) else one.policy_url,
    }  # fmt: skip
    return render_template("pages/version.html", list=language.said(row), footer=language.said(row), **shown)


def _url(row: List, one: Wording | Head) -> str:
    if isinstance(one, Head):
        return url_for("versions.policy", slug=row.slug, id_=one.id)
    return url_for("versions.wording", id_=one.id)


def day(at: datetime, row: List) -> str:
    """3 March 2026."""
    return languages.day(at.astimezone(zone_of(row.timezone)), language.current())
