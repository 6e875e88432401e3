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
    rf"^[^\S\n]*(?:(?:On|Am|Le|El|Il|Op|W dniu|Em|\w{{2,4}}\.?,)\b{_LINE}(?:\n[^\n>]{{1,200}}){{0,2}}?\n?"
    r"|[^\n<>]{0,100}\n?<[^\s<>]{3,254}>[^\S\n]*)"
    rf"(?:wrote|schrieb{_LINE}(?:\n[^\n>]{{1,100}})?"
    r"|a écrit|escribió|ha scritto|schreef[^\n]{0,200}|napisał\(?a?\)?|escreveu)[^\S\n]*:[^\S\n]*$",
    re.M,
)
_FORWARDED = re.compile(
    rf"^[^\S\n]*(?:(?:-{{2,}}|_{{5,}})[^\S\n]*(?:[^\W\d]|$)|Gesendet:{_LINE}\n[^\S\n]*Von:|"
    rf"\*?(?:From|Von|De|Da|Van|Od)[^\S\n]?:{_LINE}\n[^\S\n]*\*?"
    r"(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Data|Inviato|Verzonden|Wysłano|To|An|À|Para)[^\S\n]?:)",
    re.M,
)
_SIGNATURE = re.compile(r"^-- ?$", re.M)
_NAME, _NAMES, _ALONE, _FAREWELL = 8, 12, 3, 1000  # words of a line, lines, words without a closing, and characters
_PIECE = re.compile(r"(?<=[.!?,;])[ \t]+|\n")
_WORD = re.compile(r"[^\W_]+")
_WEB = re.compile(r"(?:https?:|www\.)\S+", re.I)
_BESIDES = re.compile(r"\s*P\.?\s?P?\.?S\b|.*@", re.I)  # a postscript; an address, which may be whom they mean
_ALSO = frozenset("and und et y".split())
_LOWER = _ALSO | frozenset("of the der von van für et de des du la le y del".split())  # as they stand in names


def _words(text: str) -> tuple[str, ...]:
    """As they are compared: without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("'", " ").replace("’", " "))
    return tuple(_SEPARATE.sub(" ", "".join(one for one in plain if not unicodedata.combining(one))).split())


_TABLE = {
    name: {_words(phrase) for phrase in re.split(r"[|\n]", text) if phrase.strip()}
    for name, text in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).items()
}
_PHRASES: dict[tuple[str, ...], Wanted | None] = {
    **dict.fromkeys(_TABLE["around"] | _TABLE["greetings"] | _TABLE["asks"]),
    **dict.fromkeys(_TABLE["leave"], Wanted.LEAVE), **dict.fromkeys(_TABLE["erase"], Wanted.ERASE),
}  # fmt: skip
_LONGEST = max(map(len, _PHRASES))


def wanted(subject: str, text: str) -> Wanted | None:
    """What is asked for by a message of that subject and text; None where it says something else as well."""
    own = own_words(text)
    typed = "" if _REPLIES.match(subject) else subject.strip()  # that of a reply is somebody else's
    if not own:
        return _said(typed) if typed else Wanted.UNSAID
    # many write what they want into the subject, and only a greeting below it
    return (_said(_without_closing(f"{typed}\n{own}")) if typed else None) or _said(own)


def own_words(text: str) -> str:
    """Without what is quoted, the signature, and what a mail program adds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = _SIGNATURE.split(_FORWARDED.split(_without_quoted(text), maxsplit=1)[0], maxsplit=1)[0]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    lines = [line for line in lines if not _begins(_words(line), "programs")]
    end = next((at for at, line in enumerate(lines) if at and _begins(_words(line), "disclaimers")), len(lines))
    return _without_closing(_without_greeting("\n".join(lines[:end])))


def _without_quoted(text: str) -> str:
    if found := _WROTE.search(text):
        after = text[found.end() :].lstrip()
        # quoted by signs, whose writer may go on below it; or the whole rest is
        text = text[: found.start()] + ("\n" + after if after.startswith(">") else "")
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))


def _without_greeting(text: str) -> str:
    found = _PIECE.search(text, 0, _FAREWELL)
    named = _behind(text[: found.start()], "greetings") if found else None
    return text[found.end() :] if found and named and _words(named) not in _PHRASES and _is_name(named) else text


def _without_closing(text: str) -> str:
    """Without the end of a letter: a closing, and lines of names, places and numbers; or a name behind a sentence."""
    for found in _PIECE.finditer(text, max(0, len(text) - _FAREWELL)):
        line, *more = text[found.end() :].split("\n")
        named = _behind(line, "closings")
        if (
            named is None
            and not more
            and line[:1].isupper()
            and len(line.split()) <= _ALONE
            and text[: found.end()].endswith((".\n", "!\n"))
        ):
            named = line
        if named is not None and len(more) <= _NAMES and all(map(_is_name, (named, *more))):
            return text[: found.start()]
    return text


def _behind(line: str, table: str) -> str | None:
    """What follows the phrases of that table with which a line begins; None where it begins with none."""
    rest = start = unicodedata.normalize("NFKC", line)
    while words := _words(rest):
        length = next((n for n in range(min(len(words), _LONGEST), 0, -1) if words[:n] in _TABLE[table]), 0)
        length = length or int(rest != start and words[0] in _ALSO)
        ends = [one.end() for one in _WORD.finditer(rest)]
        if not length or len(ends) < length:
            break
        rest = rest[ends[length - 1] :]
    return None if rest == start else rest


def _is_name(line: str) -> bool:
    """Whether it says nothing, as a sentence would: no word of it is in small letters, or it is a word alone."""
    words = _WORD.findall(_WEB.sub("", line))
    return (
        len(words) <= _NAME
        and not _BESIDES.match(line)
        and (len(words) == 1 or all(len(word) == 1 or word in _LOWER or not word[0].islower() for word in words))
    )


def _begins(words: tuple[str, ...], table: str, more: int = 100) -> bool:
    """Whether a phrase of that table begins it, and at most so many words follow."""
    return any(words[: len(phrase)] == phrase and len(words) - len(phrase) <= more for phrase in _TABLE[table])


def _said(text: str) -> Wanted | None:
    """The phrases that follow each other, the longest first; to delete says more than to leave."""
    words, said, at = _words(text), set[Wanted | None](), 0
    if _begins(words, "wishes"):
        return Wanted.LEAVE
    if "?" in text and not any(words[at : at + 2] in _TABLE["asks"] for at in range(len(words))):
        return None
    while at < len(words):
        ends = range(min(len(words), at + _LONGEST), at, -1)
        end = next((end for end in ends if words[at:end] in _PHRASES), None)
        if end is None:
            return None
        said.add(_PHRASES[words[at:end]])
        at = end
    return next((one for one in (Wanted.ERASE, Wanted.LEAVE) if one in said), None)
