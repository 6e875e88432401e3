"""How the document speaks: its language, and times as a court wants them, to the second, here and in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from flask_babel import gettext

from subscriptions import clock, languages
from subscriptions.domain.fields import label_of
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.story.said import FieldNames, OfList, Said, say


class When(NamedTuple):
    """One second: as the people of the list have it, and in UTC, which is empty where it is the same."""

    here: str
    utc: str

    def __str__(self) -> str:
        return self.here


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one language, in the time zone of one list; within `force_locale` of that language."""

    tag: str
    row: List

    def when(self, at: datetime) -> When:
        here, utc = (languages.exactly(at, self.tag, zone) for zone in (clock.zone_of(self.row.timezone), UTC))
        return When(here, "" if here == utc else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")

    def day(self, at: date) -> str:
        return languages.day(at, self.tag)

    def language(self, tag: str) -> str:
        return languages.locale_of(tag).get_display_name(languages.locale_of(self.tag)) or tag

    def sentence(self, said: Said) -> str:
        told = self.words(said)
        return told[:1].upper() + told[1:]

    def words(self, said: Said) -> str:
        return say(said, gettext, self._word)

    def _word(self, value: object) -> object:
        if isinstance(value, datetime):
            return self.when(value)
        if isinstance(value, OfList):
            return current_parts().catalogue.lists[value.id].said_in(self.tag).name
        if isinstance(value, FieldNames):
            return ", ".join(label_of(key, self.row.fields, lambda text: str(gettext(text))) for key in value.keys)
        return self.day(value) if isinstance(value, date) else value
