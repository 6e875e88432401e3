"""The versions of a list's privacy policy: when it changed, what is new in it, and who agreed under which."""

from itertools import pairwise
from typing import Any

from flask import render_template

from subscriptions.actions.policies import wrong
from subscriptions.parts import current_parts
from subscriptions.store import policies as rows
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.store.policies import Head
from subscriptions.web.admin import guard, pages
from subscriptions.web.admin.lists import difference

SHOWN = 5  # the newest, with their differences: the texts may be long


def of(row: List) -> list[Head]:
    """Every version, the oldest first."""
    return [one for one in current_parts().catalogue.policies.values() if one.list_id == row.id]


def last_change(row: List) -> Head | None:
    """The newest version that took the place of another."""
    seen, found = set[str](), None
    for one in of(row):
        found = one if one.language in seen else found
        seen.add(one.language)
    return found


@pages.get("/lists/<slug>/policies")
def policies(slug: str) -> str:
    row = guard.any_list(slug)
    versions, before = of(row), dict[str, Head]()
    for language in {one.language for one in versions}:
        theirs = [one for one in versions if one.language == language]
        before |= {new.id: old for old, new in pairwise(theirs)}
    newest = versions[: -SHOWN - 1 : -1]
    with reading() as session:
        people = rows.people(session, row, versions)
        needed = {one.id for new in newest for one in (new, before.get(new.id)) if one}
        texts = {id_: found.text for id_ in needed if (found := rows.find(session, id_))}
    current = {said.policy_id for said in (row, *row.told.values())}
    shown: list[dict[str, Any]] = [
        {"version": one, "people": people.get(one.id, 0), "is_current": one.id in current,
         "changes": difference(texts[before[one.id].id], texts[one.id]) if one in newest and one.id in before else None}
        for one in versions[::-1]
    ]  # fmt: skip
    return render_template("desk/policies.html", row=row, versions=shown, wrong=wrong(current_parts().catalogue, [row]))
