"""Letters: whatever is filled in comes out of a mail program as it went in, and no line gets too long (M-03)."""

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.mail.compiled_mails import compile_letter, folded, mark, sender_line
from tests.support.cases import each

TO = "anne@example.org"
URL = "https://news.example.org/unsubscribe/" + "A-_." * 45
TEXTS = ["", "plain", "ünï ©ödé 漢字 🎉", "=3D", "a=b", ".", "..", "\n.\n..\n", "x" * 5000, "ü" * 2000, "a " * 500,
         "From here", "\tTab", " space around ", "--=_boundary", "Å" * 77, "x" * 76, "x" * 75 + "ü", URL]  # fmt: skip

printable = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from("\t=.ÅÀ…"), max_size=300
)


def letter(text: str, html: str = "<p>x</p>", values: Mapping[str, str] | None = None, **slots: str) -> bytes:
    headers = {"From": "News <news@example.org>", "Subject": folded("Subject", "Hello")}
    return compile_letter(headers, {"To": mark("to"), **slots}, text, html).fill({"to": TO, **(values or {})})


def parsed(octets: bytes) -> EmailMessage:
    mail = message_from_bytes(octets, policy=policy.default)
    assert not mail.defects and not any(part.defects for part in mail.walk())
    return mail


def body(octets: bytes, kind: str = "plain") -> str:
    part = parsed(octets).get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")  # its last line end belongs to the boundary


def lines_of(octets: bytes) -> list[bytes]:
    assert octets.count(b"\n") == octets.count(b"\r") == octets.count(b"\r\n")
    return octets.split(b"\r\n")


def is_short(octets: bytes) -> bool:
    head, _, rest = octets.partition(b"\r\n\r\n")
    return all(len(one) <= 998 for one in lines_of(head)) and all(len(one) <= 76 for one in lines_of(rest))


@each("value", TEXTS)
@each("around", ["{}", "before {} after", "x" * 75 + "{}", "x" * 76 + "{}.", "line\n{}\nline", "ü{}ü"])
def test_a_value_comes_out_as_it_went_in(value: str, around: str) -> None:
    octets = letter("start\n" + around.format(mark("name")) + "\nend", values={"name": value})
    assert body(octets) == "start\n" + around.format(value) + "\nend"
    assert is_short(octets)


@given(printable, printable, printable)
@example("x" * 76, "", "x" * 76)
@example("x" * 75 + " ", " ", " ")
def test_any_value_in_any_text_comes_out_as_it_went_in(before: str, value: str, after: str) -> None:
    octets = letter(f"start {before}{mark('name')}{after} end", values={"name": value})
    assert body(octets) == f"start {before}{value}{after} end"
    assert is_short(octets)


@given(printable)
@example("<script>alert('1')</script> & \"quotes\"")
def test_a_value_never_becomes_markup(value: str) -> None:
    page = body(letter("x", f"<p>{mark('name')}</p>", {"name": value}), "html")
    inside = page.removeprefix("<p>").removesuffix("</p>")
    assert not set("<>\"'") & set(inside)
    assert value == inside.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace(
        "&#34;", '"'
    ).replace("&amp;", "&")


def test_a_value_stands_as_often_as_it_is_named() -> None:
    octets = letter(f"{mark('a')} {mark('b')} {mark('a')}", f"<i>{mark('a')}</i>", {"a": "&1", "b": "2"})
    assert body(octets) == "&1 2 &1"
    assert body(octets, "html") == "<i>&amp;1</i>"


def test_a_value_that_looks_like_a_place_stays_a_value() -> None:
    assert body(letter(mark("a"), values={"a": mark("b"), "b": "no"})) == mark("b")


@pytest.mark.parametrize("break_", ["\r", "\n", "\r\n", "a\r\nBcc: bart@example.org"])
def test_a_line_break_never_reaches_a_header(break_: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        letter("x", values={"to": TO + break_})


def test_a_long_url_stays_whole_in_its_header() -> None:
    octets = letter("x", values={"url": URL}, **{"List-Unsubscribe": f"<{mark('url')}>"})
    assert f"List-Unsubscribe: <{URL}>".encode() in lines_of(octets)
    assert parsed(octets)["List-Unsubscribe"] == f"<{URL}>"


def test_a_letter_has_a_text_and_a_page_and_says_what_they_are() -> None:
    mail = parsed(letter("text", "<p>page</p>"))
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["MIME-Version"] == "1.0"


def test_a_text_cannot_end_its_part() -> None:
    closing = letter("x").rpartition(b"\r\n--")[2].removesuffix(b"--\r\n").decode()
    assert body(letter(mark("a"), values={"a": f"--{closing}--"})) == f"--{closing}--"


def test_letters_of_the_same_templates_have_the_same_name_and_others_another() -> None:
    made = [compile_letter({}, {}, text, "<p>").id for text in ("one", "one", "two")]
    assert made[0] == made[1] != made[2]


def test_a_letter_tells_which_values_it_needs() -> None:
    assert compile_letter({}, {"To": mark("to")}, mark("a"), f"<p>{mark('b')}").uses == {"to", "a", "b"}


SUBJECTS = ["Newsletter", "Grüße", "漢字" * 60, "long " * 60, "x" * 300, "=?utf-8?q?anne?=", "a =?x", "50% = half"]


@pytest.mark.parametrize("text", SUBJECTS)
def test_a_subject_of_any_kind_is_folded_and_reads_the_same(text: str) -> None:
    check_subject(text.strip())


@given(printable)
def test_any_subject_reads_the_same(text: str) -> None:
    check_subject(" ".join(text.split()))


def check_subject(text: str) -> None:
    value = folded("Subject", text)
    assert value.isascii() and all(len(line) <= 78 for line in f"Subject: {value}".split("\r\n"))
    octets = compile_letter({"Subject": value}, {}, "x", "x").fill({})
    assert str(parsed(octets)["Subject"]) == text


NAMES = ["Newsletter", "Example, Society", 'The "News"', "Bücher & Söhne", "Ü" * 100, "n" * 120, "=?utf-8?q?x?="]


@pytest.mark.parametrize("name", NAMES)
def test_a_sender_of_any_name_keeps_name_and_address(name: str) -> None:
    value = sender_line(name, "news@example.org")
    assert value.isascii() and all(len(line) <= 78 for line in f"From: {value}".split("\r\n"))
    octets = compile_letter({"From": value}, {}, "x", "x").fill({})
    found, address = parseaddr(message_from_bytes(octets)["From"])  # the new parser puts spaces between encoded words
    assert (str(make_header(decode_header(found))), address) == (name, "news@example.org")
