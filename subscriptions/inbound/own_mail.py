"""An email of ours as it arrived elsewhere: what its head says of its signatures, its way, and what was thought of it.

Nothing else of it is kept: no address, and no text.
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parseaddr, parsedate_to_datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from subscriptions import clock
from subscriptions.domain.texts import Sentence, marked
from subscriptions.store import meta

AT_MOST, LONGEST, MOST = 1024 * 1024, 4000, 20  # octets of an email; signs of a header; headers of one name
_KEPT, _SENT = "doctor_arrived", "doctor_sent"
_RESULT = re.compile(r"(?:^|;)\s*(spf|dkim|dmarc)\s*=\s*([a-z]{1,20})", re.I)
_OPEN = re.compile(r"^from\b.*\bby\s+(\S{1,100}).*\bwith\s+(?:E?SMTPA?|UTF8SMTPA?)\b", re.I)
_UNHEARD = re.compile(r"\[(?:IPv6:)?(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1\]|f[cd])|TLS|cipher", re.I)
# header, and what it says of spam; a score of five is what most filters begin at
SPAM: Mapping[str, str] = {
    "X-Spam-Flag": r"yes", "X-Spam-Status": r"yes", "X-Spam": r"yes", "X-Spam-Score": r"\+?([5-9]|\d\d)",
    "X-Rspamd-Score": r"\+?([6-9]|\d\d)", "X-Rspamd-Action": r"(?!no action)", "X-Spamd-Result": r"\S+: True",
    "X-MS-Exchange-Organization-SCL": r"[5-9]", "X-Forefront-Antispam-Report": r".*(SCL:[5-9]|SFV:SPM)",
    "X-SES-Spam-Verdict": r"fail",
}  # fmt: skip
_NO_SOURCE = marked(
    "This is not the source of an email: it has no sender. In your mail program, look for “Show original” or “Show "
    "source”, and copy all of it."
)
_ANOTHER = marked("This email is from %(domain)s, and this service writes from %(ours)s.")


class NotOurs(ValueError):
    """What was given is no email of this service: the sentence for who gave it."""


class Signature(NamedTuple):
    domain: str
    selector: str
    covers: list[str]  # headers, in small letters


class OwnMail(NamedTuple):
    """`leaves`: where its List-Unsubscribe leads: `ours`, `other`, or nowhere; `ahead`: seconds, of our clock."""

    read_at: str
    sender: str
    signatures: list[Signature]
    leaves: str
    results: Mapping[str, str]  # of spf, dkim, dmarc
    spam: Mapping[str, tuple[str, bool]]  # by header: what it says, and whether that is spam
    open: list[str]  # who took it without TLS
    ahead: int


def tags(text: str) -> dict[str, str]:
    """Of a signature, or of a record of DKIM or DMARC."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}


def read(octets: bytes, ours: Collection[str], base_url: str, now: datetime) -> OwnMail:
    """`ours`: the domains that we write from. Raises NotOurs."""
    mail = BytesHeaderParser().parsebytes(octets[:AT_MOST].lstrip())
    local, _, sender = parseaddr(_one(mail, "From"))[1].lower().rpartition("@")
    if not (local and sender):
        raise NotOurs(Sentence(_NO_SOURCE))
    if sender not in ours:
        raise NotOurs(Sentence(_ANOTHER, domain=sender[:100], ours=", ".join(sorted(ours))))
    link, ways = _one(mail, "List-Unsubscribe"), _all(mail, "Received")
    leaves = "" if not link else "ours" if f"<{base_url.rstrip('/')}/" in link else "other"
    signed = [Signature(one.get("d", "").lower()[:253], one.get("s", "")[:63], one.get("h", "").lower().split(":"))
              for one in map(tags, _all(mail, "DKIM-Signature"))]  # fmt: skip
    spam = {name: (said[:60] if "@" not in said else "…", bool(re.match(bad, said, re.I)))
            for name, bad in SPAM.items() if (said := _one(mail, name))}  # fmt: skip
    # within one machine or network nobody listens
    open_ = [way[1] for text in ways if (way := _OPEN.search(text)) and not _UNHEARD.search(text)]
    return OwnMail(clock.text(now), sender, signed, leaves, _results(mail), spam, open_, _ahead(mail, ways))


def _all(mail: Message, name: str) -> list[str]:
    return [" ".join(str(value).split())[:LONGEST] for value in mail.get_all(name, [])][:MOST]


def _one(mail: Message, name: str) -> str:
    return next(iter(_all(mail, name)), "")


def _results(mail: Message) -> dict[str, str]:
    """Of the server that wrote last; what stands further down, the sender may have written."""
    results: dict[str, str] = {}
    values = _all(mail, "Authentication-Results")
    for value in (value for value in values if value.partition(";")[0] == values[0].partition(";")[0]):
        for name, result in _RESULT.findall(re.sub(r"\([^()]*\)", "", value)):
            if results.get(name.lower()) != "pass":  # one good signature is enough
                results[name.lower()] = result.lower()
    return results


def _ahead(mail: Message, ways: list[str]) -> int:
    """Of the relay's clock, which took it first; nought, where it does not say."""
    try:
        taken = parsedate_to_datetime(ways[-1].rpartition(";")[2].strip())
        return round((parsedate_to_datetime(_one(mail, "Date")) - taken).total_seconds())
    except (IndexError, TypeError, ValueError, OverflowError):
        return 0


def note(session: Session, mail: OwnMail) -> None:
    """For the checks from now on."""
    meta.put(session, _KEPT, json.dumps(mail))


def noted(session: Session) -> OwnMail | None:
    kept = meta.get(session, _KEPT)
    mail = OwnMail(*json.loads(kept)) if kept else None
    return mail._replace(signatures=[Signature(*one) for one in mail.signatures]) if mail else None


def expect(session: Session, mid: str) -> None:
    """A test email leaves, whose Message-ID begins so."""
    meta.put(session, _SENT, mid)


def is_expected(session: Session, octets: bytes) -> bool:
    """Whether this is the last test email, come back: of all that anybody may send us, nothing else is looked at."""
    mid, mail = meta.get(session, _SENT), BytesHeaderParser().parsebytes(octets[:AT_MOST])
    return bool(mid) and _one(mail, "Message-ID").startswith(f"<{mid}@")
