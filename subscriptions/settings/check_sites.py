"""What a list's sites must hold to: exact origins, and redirects that stay on them."""

import re
from collections.abc import Iterator

from subscriptions.domain.fields import FIELDS
from subscriptions.domain.sites import origin_of
from subscriptions.settings import ListSettings

_ORIGIN = re.compile(r"https?://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}: *\S.{0,79}")
_TAKEN = {
    *"email list lists locale lang wording wordings website return_url altcha r code ip page time fields".split(),
    *FIELDS,
}


def site_problems(configured: ListSettings, label: str) -> Iterator[str]:
    """One sentence a problem, each naming the key."""
    for origin in configured.origins:
        if not _ORIGIN.fullmatch(origin) or origin_of(origin) != origin:
            yield f'origins in {label} holds "{origin}", which is no origin such as "https://www.example.org".'
    for key in ("thank_you_url", "confirmed_url"):
        url = getattr(configured, key)
        if url and origin_of(url) not in configured.origins:
            known = ", ".join(configured.origins) or "none yet"
            yield f"{key} in {label} must lie on one of its origins, which are {known}."
    keys = [text.partition(":")[0] for text in configured.fields]
    for text, key in zip(configured.fields, keys, strict=True):
        own = text not in FIELDS
        if own and (not _FIELD.fullmatch(text) or key in _TAKEN):
            known = ", ".join(FIELDS)
            yield f'fields in {label} holds "{text}"; it takes {known}, or one of your own, "company: Company".'
    if len(set(keys)) < len(keys):
        yield f"fields in {label} names a field twice."
