"""What a person reads of a page: headings, paragraphs, lists and where links lead, as plain text."""

import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

HTML, PDF, TEXTS = ("text/html", "application/xhtml+xml"), "application/pdf", ("text/plain", "text/markdown")
KINDS = (*HTML, PDF, *TEXTS)
_AT_ONCE, _UNCLOSED = 64 * 1024, 512 * 1024  # letters: what is never closed is looked through anew with each piece
_UNREAD = {"script", "style", "nav", "noscript", "template", "svg", "select", "button", "title"}
_APART = {
    "p", "div", "section", "article", "main", "header", "footer", "ul", "ol", "dl", "dt", "dd", "table", "tr", "br",
    "hr", "blockquote", "pre", "address", "figure", "figcaption", "details", "summary", "form", "fieldset", "body",
    "aside",
}  # fmt: skip
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # no database takes all of these
_CHARSET = re.compile(r"utf-?8|utf-?16(le|be)?|us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|gb18030|big5"
                      r"|euc-(jp|kr)|shift_jis", re.I)  # fmt: skip
_DECLARED = re.compile(rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,30})""", re.I)


class Unreadable(ValueError):
    """Why there is no text, as the end of a sentence that begins with the page."""


def text_of(raw: bytes, kind: str, charset: str, url: str) -> str:
    """The text of a page, a file or, for a PDF, a sentence that names its bytes. Raises Unreadable."""
    if kind == PDF:
        return f"This policy is a PDF of {len(raw)} bytes.\nSHA-256: {hashlib.sha256(raw).hexdigest()}"
    text = decoded(raw, charset)
    found = _tidy(_of_html(text, url) if kind in HTML else text)
    if not found:
        raise Unreadable("has no text")
    return found


def decoded(raw: bytes, charset: str) -> str:
    """As it says itself, else UTF-8, else what browsers take for the rest."""
    declared = _DECLARED.search(raw[:1024])
    for name in (charset, declared[1].decode() if declared else "", "utf-8-sig"):
        if _CHARSET.fullmatch(name.removesuffix("-sig")):
            try:
                return raw.decode(name)
            except (UnicodeDecodeError, LookupError):
                continue
    return raw.decode("windows-1252", "replace")


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in _NO_TEXT.sub("", text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _of_html(text: str, url: str) -> str:
    """Of its <main> alone, where there is something in it; all of it, where leaving out furniture leaves nothing."""
    page = _Page(url)
    for start in range(0, len(text), _AT_ONCE):
        page.feed(text[start : start + _AT_ONCE])
        if len(page.rawdata) > _UNCLOSED:
            raise Unreadable("is not HTML that can be read")
    return next((found for parts in (page.main, page.read, page.all) if _tidy(found := "".join(parts))), "")


class _Page(HTMLParser):
    """Never closed: what is left open at the end is no text."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url, self._unread, self._in_main, self._links = url, 0, 0, list[str]()
        self.main, self.read, self.all = list[str](), list[str](), list[str]()

    def _put(self, text: str) -> None:
        self.all.append(text)
        if not self._unread:
            self.read.append(text)
            self.main += [text] if self._in_main else []

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """HTML has none; the library takes a strange one for its own mistake."""
        return int(self.parse_bogus_comment(i))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self._in_main += tag == "main"
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif re.fullmatch("h[1-6]", tag):
            self._put(f"\n\n{'#' * int(tag[1])} ")
        elif tag in ("li", "td", "th"):
            self._put("\n- " if tag == "li" else " | ")
        elif tag in _APART:
            self._put("\n" if tag in ("br", "tr") else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        self._unread = max(0, self._unread - (tag in _UNREAD))
        self._in_main = max(0, self._in_main - (tag == "main"))
        if tag == "a" and self._links and (href := self._links.pop()) and not href.startswith("#"):
            self._put(f" <{_joined(self._url, href)}>")
        elif tag in _APART or re.fullmatch("h[1-6]", tag):
            self._put("\n\n")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:  # scripts and styles
            self._put(data if "\n" not in data else " ".join(["", *data.split(), ""]))


def _joined(url: str, href: str) -> str:
    try:
        return urljoin(url, href.strip())
    except ValueError:
        return href
