"""What a bounce means: whether nobody is there, somebody may be again, or it says nothing of the mailbox."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from enum import StrEnum

from subscriptions.domain.figures import COMPLAINED, RETURNED, Figures
from subscriptions.domain.texts import Sentence, marked


class Weight(StrEnum):
    HARD = "hard"  # there is no such mailbox: ends the subscription
    SOFT = "soft"  # full, or away: ends it when it goes on for days
    OTHER = "other"  # about us, about this mail, or about another recipient: ends nothing, however often it comes


SOFT_DAYS, WITHIN = 5, timedelta(days=30)  # so many days with a soft one, within that time, end a subscription

# By RFC 3463 and 5248 and what large providers say; the longest match of a code decides. Others of class 5 are soft:
# a provider that refuses *us* must never end a list.
_BY_CODE = {
    "5.1.1": Weight.HARD, "5.1.2": Weight.HARD, "5.1.3": Weight.HARD, "5.1.6": Weight.HARD,
    "5.1.10": Weight.HARD,  # a domain that takes no mail (RFC 7505); nobody of that name (Exchange)
    "5.2.1": Weight.HARD, "5.4.310": Weight.HARD,  # switched off; no such domain (Exchange)
    "5.1.7": Weight.OTHER, "5.1.8": Weight.OTHER, "5.2.3": Weight.OTHER, "5.3.4": Weight.OTHER,
    "5.6": Weight.OTHER, "5.7": Weight.OTHER, "4.7": Weight.OTHER,
}  # fmt: skip

# In lower case, without links and addresses. The first that is found decides; HARD has its turn behind the codes.
_ABOUT_US = re.compile(
    r"spam|blocked|block ?list|blacklist|banned|reputation|dmarc|\bspf\b|dkim|policy|policies|unsolicited|virus|"
    r"(?<!not )listed (on|in|at|by)|too (large|big|many|quickly)|message size|at a rate|rate limit|loop|hop count|"
    r"service refused|authenticat|not accepted from|sender (address )?(rejected|denied)|client host rejected"
)
_SOFT = re.compile(
    r"quota|(mailbox|inbox|mailfolder|bo[iî]te|account) (is |est )?(full|pleine)|full mailbox|postfach .*voll|"
    r"buz[oó]n lleno|insufficient|out of (disk )?space|exceed|gr[ae]y-?list|temporar|try again|timed? ?out|expired|"
    r"retry time"
)
_WHO = r"(user|mailbox|recipient|address|addressee|account|inbox)s?( account| name)?"
_GONE = (
    r"unknown|inactive|disabled|deactivated|suspended|closed|terminated|invalid|unavailable|not found|not known|"
    r"not exist\w*|does ?n[o']t exist|do not exist|does not have|could(n't| not) be found|wasn't found|undeliverable|"
    r"not a (known|valid)|no longer"
)
_HARD = re.compile(
    rf"no (such|mailbox here|user)|{_WHO}( \S+)? ?(is |was |are |has been |in |:)?({_GONE})|"
    rf"(unknown|invalid|inactive|illegal) (or \S+ )?(local|to )?\W?{_WHO}|wasn't found at|"
    r"couldn't be (found|delivered to)|"
    r"doesn't have an? |not our customer|tried to reach (does|is)|adresse .*invalide|inconnu|unbekannt|desconocid|"
    r"not listed in|nicht vorhanden|no user record|(host|domain)( name)? .*(not found|does not exist)|unrouteable|"
    r"null ?mx|does not accept mail|resolver\.adr\.|address rejected: (access denied|undeliverable)|non-?exist|"
    r"(user|mailbox) (doesn't|does not|didn't|did not) exist|bad address|not a valid (user|mailbox)"
)
_CODE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\.\d)")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_REPLY = re.compile(r"\b([45])\d\d[ -]")
_ADDRESS = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>\[\]()\"',;:=]+@[^\s<>\[\]()\"',;:]+")
_LINK = re.compile(r"https?://\S+")
SAID_AT_MOST = 160  # signs of what the other side said


def weight_of(status: str, said: str) -> Weight:
    """By the status of a report, empty where there is none, and the words of the server that refused."""
    words = _ADDRESS.sub("", _LINK.sub("", said)).lower()
    codes = _CODE.findall(f"{status} {said}")
    found = {weight for code in codes if (weight := _by_code(code))}
    if Weight.OTHER in found or _ABOUT_US.search(words):
        return Weight.OTHER
    is_for_good = not any(code[0] == "4" for code in [*codes, *_REPLY.findall(said)])
    if _SOFT.search(words) or not is_for_good:
        return Weight.SOFT
    return Weight.HARD if Weight.HARD in found or _HARD.search(words) else Weight.SOFT


def _by_code(code: str) -> Weight | None:
    return _BY_CODE.get(code) or _BY_CODE.get(code.rpartition(".")[0])


def reply_of(status: str, said: str) -> str:
    """What evidence keeps of it: a line, without addresses."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
    bare = _ADDRESS.sub("…", line)
    return (bare if not status or status in bare else f"{status} {bare}").strip()[:SAID_AT_MOST]


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
