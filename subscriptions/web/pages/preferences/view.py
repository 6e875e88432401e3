"""The preferences page: everything of one address, and what its owner can do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import render_template
from flask_babel import gettext

from subscriptions import languages
from subscriptions.actions import profile
from subscriptions.actions.correct import fields_of as told_of
from subscriptions.actions.profile import Profile
from subscriptions.domain.address import parse
from subscriptions.domain.fields import Field, field_stored
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.links import Session
from subscriptions.parts import current_parts
from subscriptions.store.models import List, Registration, Subscription
from subscriptions.web.http import language
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake import fields


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the last act: a sentence, or what was wrong with its form and what had been typed."""

    message: str = ""
    problems: list[Problem] = field(default_factory=list)
    typed: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    undo: bool = False


def page(session: Session, token: str, said: Said) -> tuple[str, int]:
    """The page as it is now, in the language of its owner."""
    known = profile.look(session.key, current_parts().clock.now())
    row = about(known)
    shown = {
        "mine": known,
        "lists": list(_lists(known)),
        "fields": [fields.as_shown(one, gettext) for one in offered(known)],
        "told": {**_told(known), **said.told},
        "erase_by": language.words(known.erase_by) if known.erase_by else None,
        "locales": [(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        "never": known.wants_no_mail,
        "quiet": [_quiet(one.list_id) for one in known.suppressions if one.scope is SuppressionScope.CONFIRMATIONS],
    }
    problems = language.in_words(said.problems)
    until = language.words(session.until)
    told = render_template(
        "pages/preferences.html", **shown, session=token, until=until, said=said, problems=problems, footer=row
    )
    return told, 422 if problems else 200


def about(known: Profile) -> List:
    """The list whose legal notice stands below; the page speaks the language of what is known."""
    rows: list[Registration | Subscription] = [*known.waiting.values(), *known.blocked.values()]
    rows += known.subscriptions.values()
    newest = max(rows, key=lambda one: one.registered_at, default=None)
    row = current_parts().catalogue.lists[newest.list_id] if newest else current_parts().catalogue.configured[0]
    language.of_row(newest.locale if newest else None, row)
    return row


def _lists(known: Profile) -> Iterator[dict[str, Any]]:
    """Those of this person, then those that anybody may join."""
    theirs = {*known.subscriptions, *known.waiting, *known.blocked}
    rows = [
        row
        for row in current_parts().catalogue.lists.values()
        if row.id in theirs or (row.public and joins(row, known))
    ]
    for row in sorted(rows, key=lambda row: _rank(row, known)):
        yield {
            "list": row,
            "state": _state(row, known),
            "joins": joins(row, known),
            "wording": current_parts().catalogue.wordings.get(row.wording_id),
            **_times(row, known),
        }


def _rank(row: List, known: Profile) -> int:
    return ("open", "waiting", "blocked", "ended", "new").index(_state(row, known))


def _state(row: List, known: Profile) -> str:
    chapter = known.subscriptions.get(row.id)
    if chapter and chapter.ended_at is None:
        return "open"
    if row.id in known.waiting:
        return "waiting"
    if row.id in known.blocked:
        return "blocked"
    return "ended" if chapter else "new"


def joins(row: List, known: Profile) -> bool:
    """Whether this person may switch the list on: it takes sign-ups, and we may write to them."""
    if row.position is None or known.address is None or known.wants_no_mail:
        return False
    return current_parts().mailable.why_not(parse(known.address)) is None


def _times(row: List, known: Profile) -> dict[str, Any]:
    chapter, waiting, blocked = known.subscriptions.get(row.id), known.waiting.get(row.id), known.blocked.get(row.id)
    times = {
        "since": chapter.confirmed_at if chapter else None,
        "ended": chapter.ended_at if chapter else None,
        "confirm_by": waiting.confirm_by if waiting else None,
        "purge_at": blocked.purge_at if blocked else None,
    }
    return {name: language.words(at) if at else None for name, at in times.items()} | {
        "restricted": bool(chapter and chapter.restricted)
    }


def offered(known: Profile) -> list[Field]:
    """The voluntary fields of what is subscribed: those of the lists, and what is stored though no list asks for it."""
    rows = [current_parts().catalogue.lists[one.list_id] for one in known.open]
    asked_for = {one.key: one for one in fields.offered(rows)}
    stored = dict.fromkeys(key for one in known.open for key in told_of(one) if key not in asked_for)
    return [*asked_for.values(), *(field_stored(key) for key in stored)]


def _told(known: Profile) -> dict[str, str]:
    """What is stored of them now; where subscriptions differ, the newest."""
    told: dict[str, str] = {}
    for one in sorted(known.open, key=lambda one: one.id):
        told |= told_of(one) | {"locale": current_parts().languages.known(one.locale) or one.locale}
    return told


def _quiet(list_id: int | None) -> str | None:
    return current_parts().catalogue.lists[list_id].name if list_id is not None else None
