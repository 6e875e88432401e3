"""What a file says: its kind, letters, columns and times are found, and what is wrong is the fault of one row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subscriptions.domain.imports import Outcome, order_of, read_time
from subscriptions.imports import mapping, reading
from tests.imports import HEAD, lines, proved, with_entry, workbook
from tests.support.cases import each

OWN = ["name"]
SECOND_OF_MARCH = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
ANNE, BART = proved("anne@example.org", "Änne"), proved("bart@example.org", "Bart")
EACH = [list(ANNE), list(BART)]


def cells(path: Path, octets: bytes | str) -> tuple[reading.Table, list[Sequence[str]], list[Outcome | None]]:
    path.write_bytes(octets.encode() if isinstance(octets, str) else octets)
    table = reading.opened(path)
    rows = list(table.rows())
    return table, [row.cells for row in rows], [row.fault for row in rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list"


PLAIN = lines([ANNE, BART])


@each("octets", [
    *(PLAIN.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")),
    *(lines([ANNE, BART], separator=separator).encode("cp1252") for separator in ";\t|"),
    PLAIN.replace("\r\n", "\r").encode(), PLAIN.replace("\r\n", "\n\n").encode(),
    PLAIN.replace("anne@example.org", '"anne@example.org"').encode(),
])  # fmt: skip
def test_letters_and_separator_are_found_without_a_question(path: Path, octets: bytes) -> None:
    table, found, faults = cells(path, octets)
    assert (list(table.columns), found, faults) == (list(HEAD), EACH, [None, None])


@each(("name", "encoding"), [
    ("Hélène Lefèvre", "cp1252"), ("Íñigo Muñoz", "cp1252"), ("Søren Ågård", "cp1252"), ("Jörg Groß", "cp1252"),
    ("Michał Żółć", "cp1250"), ("Jiří Dvořáček", "cp1250"), ("Erdős Győző", "cp1250"),
    ("Иван Петров", "cp1251"), ("Γιάννης Ρίτσος", "cp1253"), ("Ayşe Yılmaz", "cp1254"),
])  # fmt: skip
def test_a_name_is_read_as_it_was_written_in_the_languages_of_old_spreadsheets(
    path: Path, name: str, encoding: str
) -> None:
    rows = [(f"p{n}@example.org", name) for n in range(20)]
    _, found, _ = cells(path, lines(rows, ("E-Mail", "Name"), ";").encode(encoding))
    assert {row[1] for row in found} == {name}


TITLED = ["Members of the club", "", *("", "")], [""] * 4, ["No", "E-Mail", "", ""], ["1", "anne@example.org", "", ""]


@each("octets", ["\n".join(map(";".join, TITLED)), "sep=;\n\nNo;E-Mail;;\n1;anne@example.org;;\n"])
def test_what_stands_above_the_table_is_passed_over_and_rows_count_as_in_a_spreadsheet(path: Path, octets: str) -> None:
    table, found, _ = cells(path, octets)
    assert (list(table.columns), found) == (["No", "E-Mail", "", ""], [["1", "anne@example.org", "", ""]])
    assert [row.number for row in table.rows()] == [4]
    book = reading.opened(workbook([["Members"], [], [None, None], *TITLED[2:]], path))
    assert (list(book.columns), [row.number for row in book.rows()]) == (["No", "E-Mail"], [5])


@each("text", ["anne@example.org; bart@example.org, Cris <cris@example.org>\n",
               "anne@example.org,bart@example.org\ncris@example.org\n",
               '"Bo, Anne" <anne@example.org>,bart@example.org;\ncris@example.org <cris@example.org>\n'])  # fmt: skip
def test_addresses_from_the_field_of_an_email_program_are_all_of_them_read(path: Path, text: str) -> None:
    table, found, faults = cells(path, text)
    assert mapping.guessed(table, OWN) == [["email", ""]] and faults == [None] * 3
    assert [mapping.named(row[0])[1].partition("@")[0] for row in found] == ["anne", "bart", "cris"]


def test_objects_one_a_line_are_a_table_as_well(path: Path) -> None:
    table, found, faults = cells(
        path, '{"email": "a@x.org", "n": 1}\nno object\n{"email": "b@x.org", "n": {"x": null}}\n'
    )
    assert list(table.columns) == ["email", "n"] and found[2] == ["b@x.org", '{"x": null}']
    assert faults == [None, Outcome.UNCLOSED, None]


def test_a_workbook_gives_what_it_keeps_and_runs_nothing(path: Path) -> None:
    at = SECOND_OF_MARCH.replace(tzinfo=None)
    workbook([HEAD, ("a@x.org", "=1+1", at, 1.0, None), ("b@x.org", None, None, None, None)], path)
    with_entry(path, "xl/vbaProject.bin", b"macros")
    table = reading.opened(path)
    found = [row.cells for row in table.rows()]
    assert found == [["a@x.org", "", "2026-03-02 14:05:00", "1", ""], ["b@x.org", "", "", "", ""]]
    assert (table.kind, [row.number for row in table.rows()]) == ("XLSX", [2, 3])


def bomb(path: Path) -> None:
    workbook([HEAD], path)
    with_entry(path, "xl/worksheets/sheet2.xml", bytes(70 * 2**20))


def of_entities(path: Path) -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    workbook([HEAD], path)
    with_entry(path, "xl/workbook.xml", laughs)


WRONG = {
    "The file is empty.": lambda path: path.write_bytes(b"\r\n \n"),
    "The file has 10000 columns": lambda path: path.write_text(",".join(map(str, range(10_000))) + "\n1,2\n"),
    "Unpacked, this workbook is too large": bomb,
    "This file is no list": of_entities,
    "This file is no list that can be read": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)),
    "save it as XLSX or CSV": lambda path: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500)),
    "in the program that it comes from": lambda path: path.write_bytes(b"%PDF-1.7\nanne@example.org\n"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@each("says", WRONG)
def test_what_cannot_be_a_list_is_refused_with_a_sentence(path: Path, says: str) -> None:
    WRONG[says](path)
    with pytest.raises(reading.Unreadable, match=says):
        reading.opened(path)


def test_a_quote_that_is_never_closed_costs_its_own_row_alone(path: Path) -> None:
    _, found, faults = cells(path, 'email,name\n"a@x.org,"A\nb@x.org,"B\nB"\nc@x.org,C\n' + "d@x.org,D\n" * 60)
    assert faults[0] is Outcome.UNCLOSED and set(faults[1:]) == {None}
    assert found[1:3] == [["b@x.org", "B\nB"], ["c@x.org", "C"]] and len(found) == 63


def test_a_line_in_another_encoding_is_a_fault_of_that_line(path: Path) -> None:
    mixed = b"email,name\na@x.org,\xc3\x84nne\nb@x.org,\xc4nne\nc@x.org,C\n"
    _, found, faults = cells(path, mixed)
    assert faults == [None, Outcome.UNREADABLE, None] and found[0][1] == "Änne"


def test_a_row_that_is_too_wide_is_a_fault_and_a_short_one_is_filled_up(path: Path) -> None:
    _, found, faults = cells(path, "email,name\na@x.org,A,3,4\nb@x.org\n")
    assert (faults, found[1]) == ([Outcome.TOO_WIDE, None], ["b@x.org", ""])


def test_a_line_without_end_does_not_fill_the_memory(path: Path) -> None:
    _, found, _ = cells(path, "email,name\n" + "x" * 5_000_000)
    assert max(len(cell) for row in found for cell in row) <= reading.LONGEST_LINE


# The columns of other programs, and what we read them as

EXPORTS = {
    "listmonk": ("uuid,email,name,attributes,status,created_at,updated_at",
                 "- email name attributes status registered_at -"),
    "Mailchimp": ("Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID",
                  "email given_name family_name - registered_at registered_ip confirmed_at confirmed_ip -"),
    "Brevo": ("CONTACT ID;EMAIL;FIRSTNAME;LASTNAME;ADDED_TIME;MODIFIED_TIME",
              "- email given_name family_name registered_at -"),
    "CleverReach": ("email;activated;registered;deactivated;source", "email confirmed_at registered_at left source"),
    "phpList": ("email,confirmed,blacklisted,entered,uniqid", "email status left registered_at -"),
    "Ghost": ("id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,labels",
              "- email name - status - registered_at -"),
    "Mailman": ("Email,Display Name,Subscription Mode", "email name -"),
    "Yestwice": ("email,name,list,locale,registered_at,confirmed_at,unsubscribe_url,wording_id",
                 "email name - locale registered_at confirmed_at - -"),
    "": ("E-Mail-Adresse;Vorname;Nachname", "email given_name family_name"),
}  # fmt: skip


@each("title", EXPORTS)
def test_the_export_of_each_program_is_known_by_its_columns(path: Path, title: str) -> None:
    head, fields = EXPORTS[title]
    table, _, _ = cells(path, head + "\n")
    assert mapping.title_of(table.columns) == title
    assert [name or "-" for name, _ in mapping.guessed(table, OWN)] == fields.split()


def test_names_of_columns_are_known_in_every_language_of_ours(path: Path) -> None:
    for head in ("Anrede;Vorname;Nachname;E-Mail", "X;Prénom;Nom;Courriel", "X;Nombre;Apellidos;Correo"):
        table, _, _ = cells(path, head + "\n")
        assert [name for name, _ in mapping.guessed(table, OWN)][1:] == ["given_name", "family_name", "email"]


@each(("text", "name"), [("  anne@example.org (Anne Bo)", "Anne Bo"), ("Anne Bo <anne@example.org>", "Anne Bo"),
                         ("anne@example.org", "")])  # fmt: skip
def test_an_address_on_each_line_needs_no_columns(path: Path, text: str, name: str) -> None:
    table, found, _ = cells(path, f"{text}\nbart@example.org\n")
    assert mapping.guessed(table, OWN) == [["email", ""]] and len(found) == 2
    assert mapping.named(found[0][0]) == (name, "anne@example.org")


# Times

SAME = {
    "2026-03-02T14:05:00Z": "", "2026-03-02 15:05:00+01:00": "", "2026-03-02 14:05:00": "",
    "2026-03-02 14:05:00+00": "",
    "02.03.2026 14:05": "", "2.3.2026, 14:05:00": "", "02/03/2026 14:05": "dmy", "03/02/2026 2:05 PM": "mdy",
    "3/2/26 14:05": "mdy", "1772460300": "", "1772460300000": "", "2026/03/02 14:05:00": "",
}  # fmt: skip


@each("text", SAME)
def test_a_time_is_read_in_every_form_that_people_write(text: str) -> None:
    assert read_time(text, SAME[text]) == SECOND_OF_MARCH


@each(
    "text",
    ["02/03/2026", "1994-12-31", "31.02.2026", "yesterday", "0000-00-00 00:00:00", "99999999999999999", "2026-03-02x"],
)
def test_a_time_that_nobody_can_tell_or_no_list_can_have_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        read_time(text, "")


@each(("texts", "order"), [(["02/03/2026", "13/03/2026"], "dmy"), (["02/03/2026", "03/13/2026"], "mdy"),
                           (["02/03/2026"], ""), (["13/13/2026"], ""), (["2026-03-02"], "-")])  # fmt: skip
def test_day_and_month_are_told_by_the_whole_column_and_never_guessed(texts: list[str], order: str) -> None:
    assert order_of(texts) == order
