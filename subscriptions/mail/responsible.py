"""Who a mail is from: its sender, who gets the answers, and the controllers that its legal notice names.

`ours`: the sender of the installation, as the configuration writes it.
"""

from collections.abc import Sequence
from typing import Any

from subscriptions.mail.compiled_mails import sender_in, sender_line
from subscriptions.store.lists import Party, common, parties
from subscriptions.store.models import List, Wording


def sender_of(rows: Sequence[List], ours: str) -> str:
    """Of a mail about these lists: theirs, where all have the same, else that of the installation."""
    return common(rows, "sender") or ours


def who(row: List, ours: str) -> str:
    """The controller of a list; where it names none, who sends."""
    sender = sender_in(row.sender or ours)
    return row.controller or sender.name or sender.address


def headers(rows: Sequence[List], ours: str) -> dict[str, str]:
    """From, and Reply-To where all lists have the same."""
    found = {"From": sender_line(*sender_in(sender_of(rows, ours)))}
    if answers := common(rows, "reply_to"):
        found["Reply-To"] = sender_line(*sender_in(answers), header="Reply-To")
    return found


def context(rows: Sequence[List], named: Sequence[List], wording: Wording | None, ours: str) -> dict[str, Any]:
    """For templates: those responsible for these lists, of which others than `named` are named if they are public."""
    found, sender = parties(rows), sender_in(sender_of(rows, ours))
    policy_url = {id(rows[0]): wording.policy_url} if wording else {}  # as it was agreed to

    def told(party: Party) -> dict[str, Any]:
        names = [row.name for row in party.lists if row.public or row in named]
        facts = {name: getattr(party.row, name) for name in ("postal_address", "privacy_contact", "imprint_url")}
        policy = policy_url.get(id(party.row), party.row.policy_url)
        return facts | {"who": who(party.row, ours), "names": names, "policy_url": policy}

    return {
        "parties": [told(party) for party in found], "controller": rows[0].controller if len(found) == 1 else "",
        "service_name": sender.name or sender.address,
    }  # fmt: skip
