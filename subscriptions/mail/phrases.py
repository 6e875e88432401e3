"""Sentences of mails that depend on the person: looked up once for each language, since mails leave by the hundred."""

from datetime import datetime

from flask_babel import force_locale, gettext

from subscriptions.languages import locale_of, marked, words
from subscriptions.mail.compiled_mails import wrapped

_NOTHING = marked("Nothing about you stays with us.")
_PROOF = marked(
    "The proof that you had agreed, and when you left, stays sealed and without your address or name: "
    "we may have to show it in court (Article 17(3)(e) GDPR)."
)


class Phrases:
    """Keeps what it has looked up."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def greeting(self, name: str | None, tag: str) -> str:
        if name:
            return self._in(marked("Hello %(name)s,"), tag) % {"name": name}
        return self._in(marked("Hello,"), tag)

    def what_stays(self, until: datetime | None, tag: str) -> dict[str, str]:
        """After an erasure, and until when."""
        if until is None:
            return {"erased_keeps": self._in(_NOTHING, tag), "kept_until": self._in(marked("now"), tag)}
        return {"erased_keeps": wrapped(self._in(_PROOF, tag)), "kept_until": words(until, tag)}

    def _in(self, text: str, tag: str) -> str:
        found = self._known.get((text, tag))
        if found is None:
            with force_locale(locale_of(tag)):
                found = self._known[text, tag] = str(gettext(text))
        return found
