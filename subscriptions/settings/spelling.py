"""Settings that people may write as they say them, in the one spelling or the value that the program knows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from subscriptions.domain.address import ascii_name
from subscriptions.domain.policy import Rate
from subscriptions.domain.sites import machine_url
from subscriptions.domain.texts import language_tag

_SPELLED: dict[str, Callable[[str], str | None]] = {
    "base_url": machine_url, "trusted_hosts": ascii_name, "locale": language_tag, "origins": machine_url,
    "thank_you_url": machine_url, "confirmed_url": machine_url,
}  # fmt: skip


def in_one_spelling(key: str, value: Any) -> Any:
    """What people may write as they say it; what cannot be read stays, and is refused by its rule."""
    spelled = _SPELLED.get(key)
    if spelled is None:
        return value
    return tuple(spelled(text) or text for text in value) if isinstance(value, tuple) else spelled(value) or value


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def rate(text: str) -> Rate:
    """`3/24h`: three in any 24 hours; units s, m, h, d. The rules have seen to its form."""
    count, _, period = text.partition("/")
    return Rate(int(count), timedelta(**{_UNITS[period[-1]]: int(period[:-1])}))
