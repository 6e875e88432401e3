"""Lines of an export, written by hand: byte for byte what the modules `csv` and `json` of Python write."""

import csv
import hmac
import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions.clock import Clock
from subscriptions.export import stream
from subscriptions.links import Links
from subscriptions.links.signing import mac_of
from subscriptions.store.mailable import Row
from subscriptions.store.models import List
from tests.builders import ANNE

LINKS = Links("https://news.example.org", [b"new", b"old"], b"pepper", Clock(), timedelta(hours=24))
FORMULA = re.compile(r"^\s*[=+\-@\t\r\n＝＋－＠]")
# letters and what has a meaning in one of the formats, at every place of a text
TEXT = st.text(
    st.one_of(
        st.sampled_from("ab\"',;=+-@\t\r\n\0\\ \u00a0\u3000\x85\u2028\ufeff＝＋－＠²"), st.characters(codec="utf-8")
    )
)
FIELDS = st.none() | st.dictionaries(st.sampled_from(["given_name", "family_name", "company"]), TEXT)
TIME, WORDING = "2026-11-23T12:00:00Z", "0123456789abcdef"
RUNS = re.compile(r"[=＝＠＋－@]|[+-](?![\w.+-]*@[\w.-]+\Z)|\s+[=+\-@＝＋－＠]|[\t\r\n]")


def a_list(*fields: str) -> List:
    return List(id=7, slug="news", fields=list(fields))


def read(key: bytes, address: str | None, name: str | None, fields: dict[str, str] | None, locale: str) -> Row:
    return 1, key, address, name, None if fields is None else json.dumps(fields), locale, TIME, TIME, WORDING


def by_csv(
    key: bytes, address: str | None, name: str | None, fields: dict[str, str] | None, locale: str, own: tuple[str, ...]
) -> str:
    """As the module writes it, by the rules of README: the whole name, no cell that begins a formula."""
    told = fields or {}
    if RUNS.match(address or ""):
        return ""
    whole = name or " ".join(filter(None, (told.get("given_name"), told.get("family_name"))))
    cells = [whole, "news", locale, TIME, TIME, LINKS.leave_url(7, key), WORDING, *(told.get(key, "") for key in own)]
    text, safe = io.StringIO(newline=""), ("'" + one if FORMULA.match(one) else one for one in cells)
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([address or "", *safe])
    return text.getvalue()


def by_json(
    has_fields: bool, key: bytes, address: str | None, name: str | None, fields: dict[str, str] | None, locale: str
) -> str:
    url = LINKS.leave_url(7, key)
    told: dict[str, Any] = {"fields": fields or {}} if fields or has_fields else {}
    one = {"id": LINKS.subscription_ids("news")(key), "email": address, "name": name, **told, "list": "news",
           "locale": locale, "registered_at": TIME,
           "confirmed_at": TIME, "unsubscribe_url": url, "wording_id": WORDING,
           "headers": LINKS.one_click_headers(url)}  # fmt: skip
    return json.dumps(one, ensure_ascii=False) + "\n"


PEOPLE = (st.binary(min_size=16, max_size=16), st.none() | TEXT, st.none() | TEXT, FIELDS, TEXT)


@pytest.mark.parametrize("own", [(), ("given_name", "company")])
@given(*PEOPLE)
@example(bytes(16), "=a@example.org", '"', {"given_name": "\u3000＝1", "family_name": '"'}, "de")
@example(bytes(16), None, "²=1", {}, "en")
@example(bytes(16), " =1", "\u3000＝1", None, "en")
def test_a_line_of_csv_is_what_the_module_would_write(
    own: tuple[str, ...], key: bytes, address: str | None, name: str | None, fields: dict[str, str] | None, locale: str
) -> None:
    configured = ("name", *own[:1], *(f"{key}: Label" for key in own[1:]))
    line = stream.csv_line(a_list(*configured), LINKS)(read(key, address, name, fields, locale))
    assert line == by_csv(key, address, name, fields, locale, own)


@pytest.mark.parametrize("configured", [(), ("name", "company: Company")])
@given(*PEOPLE)
@example(bytes(16), None, '\\"\u2028\x7f\x00', {}, "en")
def test_a_line_of_json_is_what_the_module_would_write(
    configured: tuple[str, ...],
    key: bytes,
    address: str | None,
    name: str | None,
    fields: dict[str, str] | None,
    locale: str,
) -> None:
    line = stream.json_line(a_list(*configured), LINKS)(read(key, address, name, fields, locale))
    assert line == by_json(bool(configured), key, address, name, fields, locale)


@given(st.text())
def test_no_text_begins_a_formula_in_a_cell(text: str) -> None:
    cell = stream.csv_line(a_list(), LINKS)(read(bytes(16), ANNE, text, None, "en"))
    [[address, name, *_]] = csv.reader(io.StringIO(cell, newline=""), strict=True)
    assert address == ANNE and not FORMULA.match(name) and name in (text, f"'{text}")


def test_the_head_of_csv_names_the_columns_in_quotes() -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow([*stream.COLUMNS, "given_name", "company"])
    assert text.getvalue() == stream.head(a_list("name", "given_name", "company: Company"))


@given(st.binary(min_size=16, max_size=16), st.integers(1, 2**31 - 1))
def test_a_link_of_a_line_says_whose_it_is(key: bytes, list_id: int) -> None:
    read_back = LINKS.read_leave(LINKS.leave_url(list_id, key).rpartition("/")[2])
    assert (read_back.list_id, read_back.key) == (list_id, key)


def test_many_links_are_signed_by_the_newest_key() -> None:
    newest = Links("https://news.example.org", [b"new"], b"", Clock(), timedelta(hours=24))
    oldest = Links("https://news.example.org", [b"old"], b"", Clock(), timedelta(hours=24))
    assert LINKS.leave_url(7, bytes(16)) == newest.leave_url(7, bytes(16)) != oldest.leave_url(7, bytes(16))


@given(st.binary(max_size=200), st.binary(max_size=200))
@example(bytes(64), b"")
@example(bytes(65), b"")
def test_signatures_are_the_hmac_of_the_standard_library(key: bytes, value: bytes) -> None:
    assert mac_of(key)(value) == hmac.digest(key, value, "sha256")
