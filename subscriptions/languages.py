"""The languages of pages and mails: which there are, which one a reader gets, and how a time reads in each."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import get_decimal_symbol
from babel.support import NullTranslations, Translations
from babel.units import format_unit

from subscriptions.domain import retention
from subscriptions.domain.policy import Policy
from subscriptions.domain.texts import marked as marked
from subscriptions.places import SHIPPED

FOLDER = SHIPPED / "translations"
SOURCE = "en"  # the language of the texts in code and templates
FAMILIAR = "familiar"  # the form of address, and the catalogue of its texts
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_LETTERS = re.compile(r"[\w-]*")  # de_AT.UTF-8, and what was copied with a link: de)
LONGEST_TAG = 35  # RFC 5646 4.4.1


class Languages:
    """English, and every language that has a compiled catalogue in the folder. A language goes by its tag: "pt-BR"."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or FOLDER
        found = sorted(path.parts[-3] for path in self.folder.glob("*/LC_MESSAGES/messages.mo"))
        self.tags = [tag_of(Locale.parse(name)) for name in dict.fromkeys([SOURCE, *found])]
        self._known = {tag.lower(): tag for tag in self.tags}

    def best(self, asked: str | None, accepted: Iterable[str], of_list: str) -> str:
        """What the reader asked for, else accepts (the dearest first), else the language of the list, else English."""
        return next((found for tag in (asked, *accepted, of_list) if tag and (found := self.known(tag))), SOURCE)

    def known(self, tag: str) -> str | None:
        """Ours that is closest: itself, or without its ends, so that de-AT reads as de."""
        left = _LETTERS.match(tag[:LONGEST_TAG].strip().lower())[0].replace("_", "-")  # type: ignore[index]
        while left and left not in self._known:
            left = left.rpartition("-")[0]
        return self._known.get(left)


def tag_of(locale: Locale) -> str:
    """As HTML and HTTP write it (BCP 47)."""
    return str(locale).partition("@")[0].replace("_", "-")


@lru_cache
def locale_of(tag: str, form: str = "") -> Locale:
    """`form`: of address; the modifier of the locale says that it is the familiar one."""
    locale = Locale.parse(tag, sep="-")
    if form == FAMILIAR:
        locale = Locale(locale.language, locale.territory, locale.script, locale.variant, modifier=FAMILIAR)
    return locale


@lru_cache
def texts(folder: Path, locale: Locale) -> NullTranslations:
    """The translations of a language; in the familiar form over the formal ones, where it has a text of its own."""
    found, familiar = Translations.load(folder, [locale]), Translations.load(folder, [locale], FAMILIAR)
    if locale.modifier == FAMILIAR and isinstance(found, Translations) and isinstance(familiar, Translations):
        found.merge(familiar)
    return found


def direction(tag: str) -> str:
    """Which way its script runs: ltr or rtl."""
    return locale_of(tag).text_direction


def own_name(tag: str) -> str:
    """What its speakers call it."""
    return locale_of(tag).get_display_name() or tag


def has_decimal_comma(tag: str) -> bool:
    """Whether its speakers write 1,5: of a tag that Babel does not know, whether those of its language do."""
    try:
        locale = locale_of(tag)
    except (UnknownLocaleError, ValueError):
        return "-" in tag and has_decimal_comma(tag.rpartition("-")[0])
    return get_decimal_symbol(locale) == ","


def durations(policy: Policy, tag: str) -> dict[str, str]:
    """What stands in the periods of the retention table."""
    return {name: format_unit(number, f"duration-{unit}", locale=locale_of(tag))
            for name, (number, unit) in retention.durations(policy).items()}  # fmt: skip


def one_line(text: str) -> str:
    """Each run of spaces as one, but for no-break ones, which hold a French word and its mark together."""
    return _SPACES.sub(" ", text.strip())


def listed(names: Sequence[str], tag: str) -> str:
    """One, two and three."""
    return format_list(list(names), locale=locale_of(tag))


def words(at: datetime, tag: str, zone: tzinfo = UTC) -> str:
    """A time for people, with the zone that it is of: 29 November 2026, 18:48 (CET)."""
    return _words(at.replace(second=0, microsecond=0), tag, zone)


@lru_cache(1024)  # mails that leave together were asked for together
def _words(at: datetime, tag: str, zone: tzinfo) -> str:
    return _written(at, tag, zone, "HH:mm" if tag == SOURCE else "short")


def exactly(at: datetime, tag: str, zone: tzinfo = UTC) -> str:
    """The same to the second, as a document wants it that proves something: 29 November 2026, 18:48:05 (CET)."""
    return _written(at, tag, zone, "HH:mm:ss" if tag == SOURCE else "medium")


def _written(at: datetime, tag: str, zone: tzinfo, form: str) -> str:
    here, locale = at.astimezone(zone), locale_of(tag)
    return f"{day(here, tag)}, {format_time(here, form, locale=locale)} ({_zone_name(here, locale)})"


def day(at: date, tag: str) -> str:
    """29 November 2026."""
    locale = locale_of(tag)
    text = format_date(at, "d MMMM y" if tag == SOURCE else "long", locale)
    # in French the first of a month is said as such, and no other day
    return text.replace("1 ", "1er ", 1) if locale.language == "fr" and at.day == 1 else text


def _zone_name(here: datetime, locale: Locale) -> str:
    """What the language calls its zone at that time; else the usual letters, or how far it is from UTC."""
    own, usual = get_timezone_name(here, "short", locale=locale), here.tzname() or ""
    if own.isalpha() and here.utcoffset():  # UTC has one name for all
        return own
    return usual if usual.isalpha() else f"UTC{here.isoformat()[-6:]}"
