"""What needs somebody: a sentence each, and where it is mended."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from babel.units import format_unit
from flask import url_for
from flask_babel import get_locale, gettext, ngettext
from markupsafe import Markup

from subscriptions.domain.figures import MANY, Figures
from subscriptions.domain.imports import Stage
from subscriptions.jobs import problems
from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store import accounts, holds, imports, lists, requests
from subscriptions.store.engine import reading
from subscriptions.store.models import List
from subscriptions.store.room import Room
from subscriptions.web.admin import guard, record
from subscriptions.web.http import condition, language

MEGA, GIGA = 10**6, 10**9
_SPAM = marked(
    "At least %(num)d people were asked to confirm %(list)s in the last 7 days and nobody has: "
    "the emails probably land in the spam folder."
)

_OTHER = marked("The text for your privacy policy has changed since you copied it: %(list)s")
_DRAFT = marked("%(list)s takes no sign-ups yet. To do: %(num)d")


class Need(NamedTuple):
    """`on_health`: that page itself tells it."""

    says: str | Markup
    label: str
    url: str
    on_health: bool = False


def of(rows: Sequence[List], figures: Mapping[int, Figures], room: Room, today: date) -> list[Need]:
    """The gravest first; what is about the whole service only for who sees all of it."""
    is_for_all = guard.who().sees_all
    return [
        *(_in_the_way(room) if is_for_all else ()),
        *(_requests(today) if guard.may("desk.requests_page") else ()),
        *(_silence(row) for row in rows if figures[row.id].nobody_confirms(today)),
        *_drafts(),
        *(_imports(rows) if guard.may("desk.imports_page") else ()),
        *(_copied(rows) if guard.may("desk.record") else ()),
        *(_findings() if is_for_all else ()),
        *(_reviews() if guard.may("desk.all_holds") else ()),
        *(_second_factors() if guard.may("desk.all_accounts") else ()),
    ]


def _in_the_way(room: Room) -> Iterator[Need]:
    found, _ = condition.look()
    is_paused = problems.are_emails_paused(found)
    if is_paused:
        yield _on_health(gettext("No emails are leaving at the moment: the mail server refuses them."), "emails")
    if number := len(found) - is_paused:
        yield _on_health(ngettext("Something stands in the way of the service.",
                                  "%(num)d things stand in the way of the service.", number), "main")  # fmt: skip
    if room.free is not None and room.is_short:
        yield _on_health(gettext("The disk is nearly full: %(size)s left.", size=size(room.free)), "disk")


def _requests(today: date) -> Iterator[Need]:
    with reading() as session:
        due, overdue = requests.number_due(session, today, guard.who().lists)
    said = ngettext("%(num)d request about personal data is due this week.",
                    "%(num)d requests about personal data are due this week.", due)  # fmt: skip
    if overdue:
        said = ngettext("%(num)d request about personal data is overdue.",
                        "%(num)d requests about personal data are overdue.", overdue)  # fmt: skip
    if due:
        yield Need(said, gettext("Open the requests"), url_for("desk.requests_page"))


def _on_health(says: str, anchor: str) -> Need:
    return Need(says, gettext("Show on Health"), url_for("desk.health", _anchor=anchor), on_health=True)


def _silence(row: List) -> Need:
    says = language.in_markup(_SPAM, num=MANY, list=language.named(row))
    return Need(says, gettext("Sign up yourself and see where the email arrives"), url_for("pages.form", slug=row.slug))


def _drafts() -> Iterator[Need]:
    """What lists made at the desk still have to say: before they go live in one, from then on each by itself."""
    catalogue = current_parts().catalogue
    rows = [row for row in catalogue.kept if row.draft and guard.who().sees(row.id)]
    if not rows or not guard.may("desk.save_list"):
        return
    label, urls = gettext("Texts and settings"), [url_for("desk.edit_list", slug=row.slug) for row in rows]
    if catalogue.is_live:
        for row, url in zip(rows, urls, strict=True):
            yield Need(language.in_markup(_DRAFT, list=language.named(row), num=len(lists.lacks(row))), label, url)
        return
    said = gettext("To do before you go live: %(num)d", num=sum(len(lists.lacks(row)) for row in rows))
    yield Need(said, label, urls[0] if len(urls) == 1 else url_for("desk.all_lists"))


def _imports(rows: Sequence[List]) -> Iterator[Need]:
    with reading() as session:
        halted = [one for one in imports.all_of(session, [row.id for row in rows]) if one.stage is Stage.HALTED]
    for one in halted:
        yield Need(gettext("The invitations of an import have stopped, because too many came back."),
                   gettext("Open the import"), url_for("desk.import_page", id_=one.id))  # fmt: skip


def _copied(rows: Sequence[List]) -> Iterator[Need]:
    """Texts for a privacy policy that would be others now."""
    for row, tag in record.others(rows):
        url = url_for("desk.record", list=row.slug, language=tag)
        yield Need(language.in_markup(_OTHER, list=language.named(row)), gettext("Copy it again"), url)


def _second_factors() -> Iterator[Need]:
    """Of a live service: while things are tried out there is nobody to keep out."""
    with reading() as session:
        number = accounts.without_second(session) if current_parts().catalogue.is_live else 0
    if number:
        yield Need(ngettext("%(num)d account is protected by a password alone.",
                            "%(num)d accounts are protected by a password alone.", number),
                   gettext("Accounts"), url_for("desk.all_accounts"))  # fmt: skip


def _reviews() -> Iterator[Need]:
    with reading() as session:
        number = holds.number_overdue(session, current_parts().clock.now())
    if number:
        yield Need(ngettext("The review of %(num)d legal hold is overdue.",
                            "The reviews of %(num)d legal holds are overdue.", number),
                   gettext("Legal holds"), url_for("desk.all_holds"))  # fmt: skip


def _findings() -> Iterator[Need]:
    if number := len(findings()):
        yield _on_health(ngettext("There is %(num)d recommendation for your configuration.",
                                  "There are %(num)d recommendations for your configuration.",
                                  number), "findings")  # fmt: skip


def findings() -> list[str]:
    return condition.warnings()


def size(octets: int) -> str:
    """For people: 12.3 GB."""
    of, unit = (GIGA, "digital-gigabyte") if octets >= GIGA else (MEGA, "digital-megabyte")
    return format_unit(round(octets / of, 1), unit, length="short", locale=get_locale())
