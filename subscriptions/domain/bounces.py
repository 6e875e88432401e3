"""What a bounce means: whether nobody is there, somebody may be again, or it says nothing of the mailbox."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from subscriptions.domain.figures import COMPLAINED, RETURNED, Figures
from subscriptions.domain.texts import Sentence, marked


class Weight(StrEnum):
    HARD = "hard"  # there is no such mailbox: ends the subscription
    SOFT = "soft"  # full, or away: ends it when it goes on for days
    OTHER = "other"  # about us, about this mail, or about another recipient: ends nothing, however often it comes


SOFT_DAYS, WITHIN = 5, timedelta(days=30)  # so many days with a soft one, within that time, end a subscription

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_BY_CODE = {code: Weight(weight) for weight, codes in _TABLE["codes"].items() for code in codes.split()}
_SAYS = {weight: re.compile("|".join(words)) for weight, words in _TABLE["words"].items()}
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\.\d)")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_REPLY = re.compile(r"\b([45])\d\d[ -]")
_ADDRESS = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>\[\]()\"',;:=]+@[^\s<>\[\]()\"',;:]+")
_LINK = re.compile(r"https?://\S+")
READ_AT_MOST, KEPT_AT_MOST = 2000, 160  # signs of what the other side said


def weight_of(status: str, said: str) -> Weight:
    """By the status of a report, empty where there is none, and the words of the server that refused."""
    words = _ADDRESS.sub("", _LINK.sub("", said[:READ_AT_MOST])).lower()
    codes = _CODE.findall(f"{status} {said}")
    found = {weight for code in codes if (weight := _by_code(code))}
    if Weight.OTHER in found or _SAYS[Weight.OTHER].search(words):
        return Weight.OTHER
    is_for_good = not any(code[0] == "4" for code in [*codes, *_REPLY.findall(said)])
    if _SAYS[Weight.SOFT].search(words) or not is_for_good:
        return Weight.SOFT
    return Weight.HARD if Weight.HARD in found or _SAYS[Weight.HARD].search(words) else Weight.SOFT


def _by_code(code: str) -> Weight | None:
    return _BY_CODE.get(code) or _BY_CODE.get(code.rpartition(".")[0])


def reply_of(status: str, said: str, of: Iterable[str] = ()) -> str:
    """What evidence keeps of it: a line, without addresses. `of`: whose; some servers repeat the part before the @."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in said[:READ_AT_MOST]).split())
    bare = _ADDRESS.sub("…", line)
    for local in (address.partition("@")[0] for address in of):
        bare = re.sub(rf"\b{re.escape(local)}\b", "…", bare, flags=re.I) if local else bare
    return (bare if not status or status in bare else f"{status} {bare}").strip()[:KEPT_AT_MOST]


def is_enough(days: Iterable[date], today: date) -> bool:
    """Whether soft bounces on these days, today among them, end a subscription."""
    return len({day for day in days if today - WITHIN < day <= today}) >= SOFT_DAYS


_RISEN = {
    RETURNED: marked('emails to %(num)s of %(of)s people of list "%(list)s" came back in the last 7 days; from 5%% on, '
                     "mail providers begin to refuse the others: look at where the addresses came from"),
    COMPLAINED: marked('%(num)s of %(of)s people of list "%(list)s" reported an email as spam in the last 7 days; from '
                       "0.3%% on, mail providers take the others for spam: look at what was sent, and how often"),
}  # fmt: skip


def risen(figures: Mapping[int, Figures], names: Mapping[int, str], today: date) -> list[Sentence]:
    """What an operator is warned of, list by list."""
    return [Sentence(text, num=much[0], of=much[1], list=names[list_id])
            for list_id, one in figures.items() for name, text in _RISEN.items()
            if (much := one.risen(name, today))]  # fmt: skip
