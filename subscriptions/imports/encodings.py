"""In which encoding a file of names and addresses is."""

import re

UNKNOWN = "\ufffd"  # what stands for octets that are no character
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def encoding_of(sample: bytes) -> str:
    """Where most of it is UTF-8, lines that are not are faults of theirs; else what the letters look like."""
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample[:2]:
        return "utf-16-be" if sample[:1] == b"\0" else "utf-16-le"
    special = [line for line in sample.splitlines()[:-1] or [sample] if not line.isascii()]
    if not special or any(UNKNOWN not in line.decode("utf-8", "replace") for line in special):
        return "utf-8"
    return _by_letters(b"\n".join(special).decode("cp1252", "replace"))


def _by_letters(text: str) -> str:
    """What else it was if it is no Western Europe; detectors need more than names, and make "Hélčne" of "Hélène"."""
    if re.search(r"\b[À-ÿ]{3,}\b", text):
        is_greek = re.search("[à-ÿ][Ü-ß]", text)  # no small letter of Cyrillic has a large one behind
        return "cp1253" if is_greek else "cp1251"
    if re.search("[ðþÐÞ]", text):
        return "cp1254"
    is_central = ("ø" in text and set("èìù").intersection(text)) or ("õ" in text and "ã" not in text)
    return "cp1250" if is_central or re.search("\ufffd|[A-Za-z]{2}[¹³¼¾£¥¢¤¦¸¯]", text) else "cp1252"
