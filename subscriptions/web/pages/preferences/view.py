"""The preferences page: everything of one address, and what its owner can do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import render_template
from flask_babel import gettext
from markupsafe import Markup

from subscriptions import languages
from subscriptions.actions import preferences
from subscriptions.actions.preferences import Profile
from subscriptions.clock import text
from subscriptions.domain.address import parse
from subscriptions.domain.fields import Field
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.requests import LONGEST, Outcome, RequestKind
from subscriptions.languages import marked
from subscriptions.links import Opener, Session
from subscriptions.mail import responsible
from subscriptions.parts import current_parts
from subscriptions.store.lists import parties
from subscriptions.store.models import List, Registration, Request, Subscription
from subscriptions.web.http import headers, language
from subscriptions.web.http.adapter import now
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake import fields


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the last act: a sentence, or what was wrong with its form and what had been typed."""

    say: Callable[[], str] = str  # asked once the language and the time zone of the page are known
    problems: list[Problem] = field(default_factory=list)
    typed: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)  # of a request that could not be taken
    undo: bool = False
    controller: str = ""  # of whom that would be undone; empty: of all


def page(session: Session, token: str, said: Said) -> tuple[str, int]:
    """The page as it is now, in the language of its owner."""
    headers.allow(script_src="'self'")  # the reminder before the end
    mine = known(session)
    footer, problems = about(mine), language.in_words(said.problems)
    quiet = [_quiet(row.list_id) for row in mine.suppressions if row.scope is SuppressionScope.CONFIRMATIONS]
    told = render_template(
        "pages/preferences.html", mine=mine, said=said, message=said.say(), problems=problems, footer=footer,
        lists=list(_lists(mine)), told=fields.stored_in(mine.open, current_parts().languages) | {**said.told},
        fields=fields.inputs_of(mine.open, gettext, _rows(mine), language.current()),
        new_address=fields.address_input(gettext, marked("New email address")),
        erase_by=language.words(mine.erase_by) if mine.erase_by else None,
        locales=[(tag, languages.own_name(tag)) for tag in current_parts().languages.tags],
        stays=current_parts().sender.composer.what_stays(
            mine.kept, language.current(), language.words, language.form()),
        never=mine.wants_no_mail, quiet=quiet, session=token, until=language.words(session.until),
        ends=text(session.until), may_prolong=session.may_prolong, asked=[asked(row) for row in mine.requests],
        objected=[(name, named_of(ids)) for name, ids in mine.objected_to.items()], kinds=KINDS,
        chosen=called(addressees(mine)), words=said.words, longest=LONGEST,
        can_erase=bool(mine.address) and not mine.erase_by,
    )  # fmt: skip
    return told, 422 if problems else 200


KINDS = {
    RequestKind.ACCESS: marked("What do you know about me, and where from?"),
    RequestKind.CORRECTION: marked("Something is wrong"),
    RequestKind.RESTRICTION: marked("Restrict what you do with my data"),
    RequestKind.COMPLAINT: marked("A complaint"), RequestKind.OTHER: marked("Something else"),
}  # fmt: skip
_ANSWERED = {Outcome.ANSWERED: marked("answered"), Outcome.REFUSED: marked("refused"), None: marked("open")}


def asked(row: Request) -> dict[str, Any]:
    """A request of theirs, as the page shows it."""
    return {"row": row, "state": gettext(_ANSWERED[row.outcome]), "until": language.day(row.until),
            "received": language.words(row.received_at)}  # fmt: skip


def addressees(mine: Profile) -> list[List]:
    """A list of each controller that they may know of: whom they can write to, or object to."""
    return [language.said(party.row) for party in parties(_theirs_and_public(mine))]


def called(rows: Sequence[List]) -> list[tuple[List, str]]:
    """Each with what its controller is called; of two that are called the same, with the list."""
    ours = current_parts().settings.mail.sender
    names = [responsible.who(row, ours) for row in rows]
    return [(row, f"{name} ({row.name})" if names.count(name) > 1 else name)
            for row, name in zip(rows, names, strict=True)]  # fmt: skip


def named_of(ids: Sequence[int]) -> Markup:
    lists = current_parts().catalogue.lists
    return language.named([lists[id_] for id_ in ids if id_ in lists])


def known(whose: Opener | Session) -> Profile:
    """What is known of an address now."""
    return preferences.look(whose.key, now(), current_parts().policy, whose.mailbox)


def about(mine: Profile) -> list[List]:
    """The lists whose controllers stand below, theirs and the public ones; in the language of what is known."""
    rows: list[Registration | Subscription] = [*mine.waiting.values(), *mine.blocked.values()]
    rows += mine.subscriptions.values()
    newest = max(rows, key=lambda row: row.registered_at, default=None)
    row = current_parts().catalogue.lists[newest.list_id] if newest else current_parts().catalogue.configured[0]
    shown = _theirs_and_public(mine)
    language.of_row(newest.locale if newest else None, row, *shown)
    return language.told_of(shown)


def _theirs_and_public(mine: Profile) -> list[List]:
    theirs = {*mine.subscriptions, *mine.waiting, *mine.blocked}
    catalogue = current_parts().catalogue
    return [row for row in catalogue.lists.values() if row.id in theirs or (row.public and catalogue.takes(row))]


_ORDER = ("open", "waiting", "blocked", "ended", "new")


def _lists(mine: Profile) -> Iterator[dict[str, Any]]:
    catalogue = current_parts().catalogue
    rows = [row for row in _theirs_and_public(mine) if _state(row, mine) != "new" or joins(row, mine)]
    for row in sorted(rows, key=lambda row: _ORDER.index(_state(row, mine))):
        said = language.said(row)
        wording = catalogue.wordings.get(said.wording_id)
        state = {"state": _state(row, mine), "joins": joins(row, mine), "wording": wording}
        yield {"list": said, **state, **_times(row, mine)}


def _state(row: List, mine: Profile) -> str:
    subscription = mine.subscriptions.get(row.id)
    if subscription and subscription.ended_at is None:
        return "open"
    if row.id in mine.waiting:
        return "waiting"
    if row.id in mine.blocked:
        return "blocked"
    return "ended" if subscription else "new"


def joins(row: List, mine: Profile) -> bool:
    """Whether this person may switch the list on: it takes sign-ups, and we may write to them."""
    parts = current_parts()
    if not parts.catalogue.takes(row) or mine.address is None or mine.wants_no_mail or mine.objects(row.id):
        return False
    return parts.mailable.why_not(parse(mine.address)) is None


def _times(row: List, mine: Profile) -> dict[str, Any]:
    subscription, waiting, blocked = (of.get(row.id) for of in (mine.subscriptions, mine.waiting, mine.blocked))
    times = {
        "since": subscription and subscription.confirmed_at,
        "ended": subscription and subscription.ended_at,
        "confirm_by": waiting and waiting.confirm_by,
        "purge_at": blocked and blocked.purge_at,
    }
    restricted = bool(subscription and subscription.restricted)
    return {name: language.words(at) if at else None for name, at in times.items()} | {"restricted": restricted}


def offered(mine: Profile) -> list[Field]:
    return fields.of_subscriptions(mine.open, _rows(mine))


def _rows(mine: Profile) -> list[List]:
    return [language.said(current_parts().catalogue.lists[row.list_id]) for row in mine.open]


def _quiet(list_id: int | None) -> Markup | None:
    return language.named(current_parts().catalogue.lists[list_id]) if list_id is not None else None
