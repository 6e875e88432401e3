"""Sentences of mails that depend on the person: looked up once for each language, since mails leave by the hundred."""

from datetime import datetime
from functools import lru_cache

from flask_babel import force_locale, gettext

from subscriptions.languages import locale_of, marked, words
from subscriptions.mail.compiled_mails import wrapped

_NOTHING = marked("Nothing about you stays with us.")
_PROOF = marked(
    "The proof that you had agreed, and when you left, stays sealed and without your address or name: "
    "we may have to show it in court (Article 17(3)(e) GDPR)."
)


@lru_cache(256)
def greeting(place: str, tag: str) -> str:
    """With the places of the name left open, for `%`; `place`: of `greeted_by`."""
    if place:
        return _said(marked("Hello %(name)s,"), tag).replace("%(name)s", place)
    return _said(marked("Hello,"), tag).replace("%", "%%")


def what_stays(until: datetime | None, tag: str) -> dict[str, str]:
    """After an erasure, and until when."""
    if until is None:
        return {"erased_keeps": _said(_NOTHING, tag), "kept_until": _said(marked("now"), tag)}
    return {"erased_keeps": wrapped(_said(_PROOF, tag)), "kept_until": words(until, tag)}


@lru_cache(256)
def _said(text: str, tag: str) -> str:
    with force_locale(locale_of(tag)):
        return str(gettext(text))
