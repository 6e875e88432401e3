"""Who a mail is from: its sender, who gets the answers, and the controllers that its legal notice names.

`ours`: the sender of the installation, as the configuration writes it.
"""

from collections.abc import Sequence
from typing import Any

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import LINK_LIFE
from subscriptions.links import Links
from subscriptions.mail.compiled_mails import sender_in, sender_line
from subscriptions.store.lists import Catalogue, Party, common, parties
from subscriptions.store.models import List, Wording

FACTS = ("controller", "postal_address", "privacy_contact", "imprint_url")


def sender_of(rows: Sequence[List], ours: str) -> str:
    """Of a mail about these lists: theirs, where all have the same, else that of the installation."""
    return common(rows, "sender") or ours


def sender_of_all(catalogue: Catalogue, ours: str) -> str:
    """Of a mail that speaks for every list."""
    return sender_of(catalogue.configured, ours)


def name_of(rows: Sequence[List], ours: str) -> str:
    """What that sender is called."""
    sender = sender_in(sender_of(rows, ours))
    return sender.name or sender.address


def who(row: List, ours: str) -> str:
    """The controller of a list; where it names none, who sends."""
    return row.controller or name_of([row], ours)


def pages(mail: MailKind, links: Links) -> dict[str, Any]:
    """The pages that a mail names without a token; who works here is not led to that of the readers."""
    is_ours = mail.row.to_account or mail.row.to_operator
    return {"preferences_page_url": "" if is_ours else links.url("my-data"), "minutes": LINK_LIFE.seconds // 60,
            "requests_page_url": links.url("admin/requests")}  # fmt: skip


def nobody(row: List | None) -> List:
    """A list that says nothing, for mails about none; with the sender of that one."""
    said = dict.fromkeys(["name", "timezone", "address_form", "policy_url", "authority", *FACTS], "")
    sent = {name: getattr(row, name) if row else "" for name in ("sender", "reply_to")}
    return List(id=0, slug="test", locale="en", **said, **sent)


def headers(rows: Sequence[List], ours: str) -> dict[str, str]:
    """From, and Reply-To where all lists have the same."""
    found = {"From": sender_line(*sender_in(sender_of(rows, ours)))}
    if answers := common(rows, "reply_to"):
        found["Reply-To"] = sender_line(*sender_in(answers), header="Reply-To")
    return found


def told(
    rows: Sequence[List], named: Sequence[List], ours: str, wording: Wording | None = None
) -> list[dict[str, Any]]:
    """Who is responsible for these lists, of which others than `named` are named if they are public.

    `wording`: of the first, as it was agreed to.
    """

    def facts(party: Party) -> dict[str, Any]:
        names = [row.name for row in party.lists if row.public or row in named]
        policy_url = wording.policy_url if wording and party.row is rows[0] else party.row.policy_url
        found = {name: getattr(party.row, name) for name in (*FACTS, "authority")}
        return found | {"policy_url": policy_url, "who": who(party.row, ours), "names": names}

    return [facts(party) for party in parties(rows)]
