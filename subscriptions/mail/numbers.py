"""What somebody at the desk is told: how many came and went, of which list; never who."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import force_locale, gettext

from subscriptions import clock
from subscriptions.languages import locale_of, words
from subscriptions.links import Links
from subscriptions.store.models import List

VALUES = ["numbers", "told_since", "evidence_head"]


def head(told: Mapping[str, Any] | None) -> dict[str, str]:
    """The head of the evidence, where it is told."""
    return {"evidence_head": ((told or {}).get("head") or "").rstrip()}


def values(told: Mapping[str, Any], tag: str, lists: Mapping[int, List], links: Links) -> dict[str, str]:
    """What is filled into the letter. `told`: `since` when; `says` for each list its id, who came, who left, all."""
    with force_locale(locale_of(tag)):
        lines = [
            gettext("%(list)s: %(new)d new, %(left)d left, %(people)d in all",
                    list=lists[id_].said_in(tag).name, new=new, left=left, people=people)
            for id_, new, left, people in told["says"] if id_ in lists
        ]  # fmt: skip
        if told.get("head"):
            lines += ["", gettext("The head of the evidence. Keep this email:"), *told["head"].rstrip().splitlines()]
    since = words(datetime.fromisoformat(told["since"]), tag, clock.zone_of(""))
    return {"numbers": "\n".join(lines), "told_since": since,
            "no_numbers_token": links.no_numbers_token(told["account"])}  # fmt: skip
