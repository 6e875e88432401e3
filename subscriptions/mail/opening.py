"""What opens something in a mail: tokens and the code, and what evidence keeps of them."""

import hashlib
from collections.abc import Iterable, Mapping

from subscriptions.domain.codes import for_reading
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.links import Links
from subscriptions.store.outbox import Due


def secrets(mail: MailKind, due: Due, links: Links) -> dict[str, str]:
    """What opens something, as those links write it: tokens, and the code."""
    values = {"desk_token": links.desk.link(bytes.fromhex(due.mid))} if mail.row.to_account else {}
    if due.ref and due.lead.confirm_by:
        values["confirm_token"] = links.confirm_token(due.ref)
        values["code"] = for_reading(links.codes.code(due.ref))
        values["not_me_token"] = links.not_me_token(due.ref, due.lead.list_id, due.key, due.mailbox)
    if due.confirmed_at:
        left = 0 if mail.row.of_all else due.lead.list_id
        values["leave_token"] = links.leave_token(left, due.key)
        if links.by_mail.in_address:
            values["tag_token"] = links.by_mail.leave_tag(left, due.key)
    if mail.row.says_when:
        values["preferences_token"] = links.preferences_token(bytes.fromhex(due.mid), due.key, due.mailbox)
    return values


def hashes(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What evidence keeps of each value that opens something.

    A token holds a signature, which nobody can guess. The code has 39 bits: whoever had its plain hash would try them
    all in an hour, so it is hashed together with the token of the link beside it.
    """
    beside = values.get("confirm_token", "")
    return {name: sha256((f"{values[name]} {beside}" if name == "code" else values[name]).encode()) for name in names}


def sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
