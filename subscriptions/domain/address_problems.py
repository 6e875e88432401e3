"""What is wrong with a text that was meant to be an email address: a code, and a sentence that says what to do."""

import re
import unicodedata
from collections.abc import Mapping

from subscriptions.domain.texts import marked

LONGEST = 254  # octets, RFC 5321 4.5.3.1.3 less the angle brackets
LONGEST_LOCAL = 64  # octets, RFC 5321 4.5.3.1.1

SENTENCES = {
    "required": marked("Please enter your email address."),
    "too_long": marked("The email address is too long."),
    "local_too_long": marked("The part of the email address before the @ sign is too long."),
    "space": marked("There is a space in the email address. Please remove it."),
    "invisible": marked("There is an invisible character in the email address: %(label)s (%(number)s). "
                        "Please remove it, or type the address again."),
    "several": marked("Please enter only one email address."),
    "no_at": marked("The @ sign is missing. An email address looks like name@example.org."),
    "two_at": marked("There is more than one @ sign in the email address. Please keep only one."),
    "no_local": marked("The part before the @ sign is missing. An email address looks like name@example.org."),
    "no_domain": marked("The part after the @ sign is missing. An email address looks like name@example.org."),
    "no_ending": marked("The part after the @ sign is not complete. It needs an ending, such as .org in example.org."),
    "two_dots": marked("There are two dots in a row in the email address. Please remove one."),
    "dot_at_end": marked("An email address cannot begin or end with a dot, or have a dot next to the @ sign. "
                         "Please remove it."),
    "character": marked("An email address cannot have this character: %(character)s"),
    "domain_character": marked("The part after the @ sign cannot have this character: %(character)s"),
    "ip_address": marked("There must be a name such as example.org after the @ sign, not a number."),
    "domain": marked("The part after the @ sign is not a valid name. Please check it for typing mistakes."),
    "special_domain": marked("No email can be sent to addresses ending in %(domain)s."),
    "local": marked("The part before the @ sign is not valid. Please check it for typing mistakes."),
    "not_utf8": marked("The email address did not reach us as it was typed. Please type it again."),
    "did_you_mean": marked("This is not quite an email address. Did you mean %(address)s?"),
}  # fmt: skip


class BadAddress(ValueError):
    """The text is no address that we can mail; `code`, and the sentence with what stands in it."""

    def __init__(self, code: str, **values: str) -> None:
        self.code, self.sentence, self.values = code, SENTENCES[code], values or None
        super().__init__(self.sentence % values if values else self.sentence)


def _named(name: str, spans: str) -> Mapping[int, str]:
    """Spans of code points, in hexadecimal."""
    ends = [[int(end, 16) for end in span.split("-")] for span in spans.split()]
    return {point: name for first, *last in ends for point in range(first, (last or [first])[0] + 1)}


_WHITE = {
    **_named(marked("a tab"), "9"),
    **_named(marked("a line break"), "A-D 85 2028 2029"),
    **_named(marked("a no-break space"), "A0 2007 202F"),
    **_named(marked("an unusual space"), "1680 2000-2006 2008-200A 205F 3000"),
    **_named(marked("a zero-width character"), "34F 180E 200B-200D 2060-2064 FEFF"),
    **_named(marked("a soft hyphen"), "AD"),
    **_named(marked("a mark for the direction of writing"), "61C 200E 200F 202A-202E 2066-206F"),
    **_named(marked("a filling character"), "115F 1160 17B4 17B5 180B-180D 180F 2800 3164 FE00-FE0F FFA0"),
    **_named(marked("a filling character"), "E0000-E007F E0100-E01EF"),
}  # fmt: skip
_INVISIBLE = _WHITE | {
    **_named(marked("a control character"), "0-8 E-1F 7F-84 86-9F"),
}
_ENDS = " " + "".join(map(chr, _WHITE))
_UNSEEN = re.compile(f"[{re.escape(''.join(map(chr, _INVISIBLE)))}]")
_LOST = re.compile(r"[\ud800-\udfff\ufffd]")  # what came in its place could not be read
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[bq]\?", re.I)  # RFC 2047: some relays decode it even in an address
_DOTS = str.maketrans("。．｡", "...")  # a domain may have these, UTS 46
_NOT_LOCAL = re.compile(r"[^a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\u0080-\U0010FFFF-]")  # RFC 5322 3.2.3, RFC 6531 3.3
_NOT_DOMAIN = re.compile(r"[^a-zA-Z0-9.\u0080-\U0010FFFF-]")
_MANY = re.compile(r"(?<![^@\s,;])[^@\s,;]+@[^@\s,;]+[\s,;]+[^@\s,;]+@")
_AROUND = _ENDS + ",;:<>()[]{}\"'`´“”„‟‘’‚‛«»‹›"
_PASTED = re.compile(r".*<\s*(?:mailto:)?([^<>]*)>[^\w<]*|mailto:([^?]*).*", re.I | re.S)


def trimmed(text: str) -> str:
    """Without blanks at its ends, nor anything else there that nobody sees."""
    return text.strip(_ENDS)


def refuse(typed: str) -> None:
    """Raises what is wrong with a trimmed text, as far as that can be seen without knowing domains."""
    if not typed:
        raise BadAddress("required")
    if len(typed) > 4 * LONGEST:
        raise BadAddress("too_long")
    if _MANY.search(typed):
        raise BadAddress("several")
    _refuse_unseen(typed)
    if typed.count("@") != 1:
        raise BadAddress("two_at" if "@" in typed else "no_at")
    if " " in typed:
        raise BadAddress("space")
    local, _, domain = typed.partition("@")
    _refuse_parts(local, domain.translate(_DOTS))


def _refuse_unseen(typed: str) -> None:
    if _LOST.search(typed):
        raise BadAddress("not_utf8")
    if found := _UNSEEN.search(typed):
        point = ord(found[0])
        raise BadAddress("invisible", label=_INVISIBLE[point], number=f"U+{point:04X}")


def _refuse_parts(local: str, domain: str) -> None:
    if not local or not domain:
        raise BadAddress("no_domain" if local else "no_local")
    if domain[0] == "[" or re.fullmatch(r"[\d.]+", domain):
        raise BadAddress("ip_address")
    if found := _NOT_LOCAL.search(local) or _ENCODED_WORD.search(local):
        raise BadAddress("character", character=found[0][0])
    if found := _NOT_DOMAIN.search(domain):
        raise BadAddress("domain_character", character=found[0])
    if ".." in local or ".." in domain:
        raise BadAddress("two_dots")
    if any(part.startswith(".") or part.endswith(".") for part in (local, domain)):
        raise BadAddress("dot_at_end")
    if "." not in domain:
        raise BadAddress("no_ending")
    _refuse_long(local, domain)


def _refuse_long(local: str, domain: str) -> None:
    if len(unicodedata.normalize("NFC", local).encode()) > LONGEST_LOCAL:
        raise BadAddress("local_too_long")
    if len(domain) > LONGEST - 1:
        raise BadAddress("too_long")


def probably(typed: str) -> str:
    """The address within what was pasted with it, or typed on a wide keyboard; else the text itself."""
    typed = typed.translate({ord(wide): "@" for wide in "＠﹫"})
    if found := _PASTED.fullmatch(typed):
        typed = found[1] or found[2] or ""
    return typed.strip(_AROUND)


_STRAIGHT = str.maketrans("’‘‛ʼʹ′´＇ˈ", "'" * 9)


def straight(local: str) -> str:
    """The part before the @-sign as keyboards write it: no typographic apostrophe, no wide letters."""
    plain = local.translate(_STRAIGHT)
    narrow = unicodedata.normalize("NFKC", plain)
    return narrow if narrow.isascii() and not _NOT_LOCAL.search(narrow) else plain
