"""What people write who want to leave, or to have their data deleted: the words of a message, and nothing else.

A message that says anything besides is for a human: who writes "do not unsubscribe me" is understood by none of this.
"""

import re
import tomllib
import unicodedata
from enum import StrEnum
from pathlib import Path


class Wanted(StrEnum):
    LEAVE = "leave"
    ERASE = "erase"
    UNSAID = "unsaid"  # nothing at all was written


_SEPARATE = re.compile(r"[^\w]+|_+")
_REPLIES = re.compile(r"\s*(?:re|aw|antw|antwort|sv|tr|wg|fwd?|rif|odp|res)\s*(?:\[\d+\])?\s*:", re.I)
# where what somebody else wrote begins: "On … wrote:", in one line or two, and the header of a program of Microsoft
_LINE = r"[^\n]{0,200}"
_WROTE = re.compile(
    rf"^[^\S\n]*(?:(?:On|Am|Le|El|Il|Op|W dniu|Em|\w{{2,4}}\.?,)\b{_LINE}(?:\n[^\n>]{{1,200}}){{0,2}}?"
    r"|[^\n<>]{0,100}\n?<[^\s<>]{3,254}>[^\S\n]*)"
    rf"(?:wrote|schrieb{_LINE}|a écrit|escribió|ha scritto|schreef{_LINE}|napisał\(?a?\)?|escreveu)[^\S\n]*:[^\S\n]*$",
    re.M,
)
_FORWARDED = re.compile(
    rf"^[^\S\n]*(?:(?:-{{2,}}|_{{5,}})[^\S\n]*(?:[^\W\d]|$)|\*?(?:From|Von|De|Da|Van|Od)[^\S\n]?:{_LINE}\n[^\S\n]*\*?"
    r"(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Data|Inviato|Verzonden|Wysłano|To|An|À|Para)[^\S\n]?:)",
    re.M,
)
_SIGNATURE = re.compile(r"^-- ?$", re.M)
_NAME, _NAMES = 4, 2  # words of a line, and lines, behind the closing


def _words(text: str) -> tuple[str, ...]:
    """As they are compared: without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("'", " ").replace("’", " "))
    return tuple(_SEPARATE.sub(" ", "".join(one for one in plain if not unicodedata.combining(one))).split())


_TABLE = {
    name: {_words(phrase) for phrase in re.split(r"[|\n]", text) if phrase.strip()}
    for name, text in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
_PHRASES: dict[tuple[str, ...], Wanted | None] = {
    **dict.fromkeys(_TABLE["around"]), **dict.fromkeys(_TABLE["leave"], Wanted.LEAVE),
    **dict.fromkeys(_TABLE["erase"], Wanted.ERASE),
}  # fmt: skip
_LONGEST = max(map(len, _PHRASES))


def wanted(subject: str, text: str) -> Wanted | None:
    """What is asked for by a message of that subject and text; None where it says something else as well."""
    if own := own_words(text):
        return _said(own)
    typed = "" if _REPLIES.match(subject) else subject  # that of a reply is somebody else's
    return _said(typed) if typed.strip() else Wanted.UNSAID


def own_words(text: str) -> str:
    """Without what is quoted, the signature, and what a mail program adds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = _SIGNATURE.split(_FORWARDED.split(_without_quoted(text), maxsplit=1)[0], maxsplit=1)[0]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return "\n".join(_without_closing([line for line in lines if not _begins(_words(line), "programs")])).strip()


def _without_quoted(text: str) -> str:
    if found := _WROTE.search(text):
        after = text[found.end() :].lstrip()
        # quoted by signs, whose writer may go on below it; or the whole rest is
        text = text[: found.start()] + ("\n" + after if after.startswith(">") else "")
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))


def _without_closing(lines: list[str]) -> list[str]:
    for at, line in enumerate(lines[1:], 1):
        if _begins(_words(line), "closings", more=_NAME) and all(
            len(_words(name)) <= _NAME for name in lines[at + 1 :]
        ):
            return lines[:at] if len(lines) - at <= 1 + _NAMES else lines
    return lines


def _begins(words: tuple[str, ...], table: str, more: int = 100) -> bool:
    """Whether a phrase of that table begins it, and at most so many words follow."""
    return any(words[: len(phrase)] == phrase and len(words) - len(phrase) <= more for phrase in _TABLE[table])


def _said(text: str) -> Wanted | None:
    """The phrases that follow each other, the longest first; to delete says more than to leave."""
    words, said, at = _words(text), set[Wanted | None](), 0
    if _begins(words, "wishes"):
        return Wanted.LEAVE
    if "?" in text:
        return None
    while at < len(words):
        ends = range(min(len(words), at + _LONGEST), at, -1)
        end = next((end for end in ends if words[at:end] in _PHRASES), None)
        if end is None:
            return None
        said.add(_PHRASES[words[at:end]])
        at = end
    return next((one for one in (Wanted.ERASE, Wanted.LEAVE) if one in said), None)
