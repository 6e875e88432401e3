"""What emails about requests say: number, day and reason; never what somebody wrote."""

from collections.abc import Mapping
from typing import Any

from subscriptions.languages import day
from subscriptions.links import Links
from subscriptions.mail.compiled_mails import wrapped
from subscriptions.store.models import List

VALUES = ["request_number", "request_due", "request_why", "request_why_text"]


def values(told: Mapping[str, Any], tag: str, lists: Mapping[int, List], links: Links) -> dict[str, str]:
    """What is filled into the letter. `told`: `number`, and of one request `due` and `why`."""
    why = told.get("why", "")
    return {
        "request_number": str(told["number"]), "request_due": day(told["due"], tag) if "due" in told else "",
        "request_why": why, "request_why_text": "\n".join(wrapped(line) for line in why.splitlines()),
    }  # fmt: skip
