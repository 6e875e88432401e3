"""Files that were made to hurt: each is refused or read, and neither a page nor another import stops on one."""

import zipfile
from pathlib import Path

import pytest

from subscriptions.domain.imports import Outcome
from subscriptions.domain.roles import Role
from subscriptions.imports import reading
from tests.builders import World
from tests.desk import Person, at_the_desk
from tests.imports import workbook
from tests.support.cases import ONE_DATABASE, each
from tests.test_desk_imports import WAY, looked, sent


@pytest.fixture
def mia(world: World) -> Person:
    return at_the_desk(world, Role.MANAGER)


@ONE_DATABASE
@each("octets", [b"\xef\xbb\xbf", b"\xff\xfe", b"\x0c\n", b"\xc2\xa0\n", b"{}\n{}\n", b"{x\n"])
def test_a_file_in_which_nothing_stands_is_refused_with_a_sentence(mia: Person, octets: bytes) -> None:
    assert sent(mia, octets).status_code == 422


@ONE_DATABASE
@each("text", [
    '{"email": "anne@example.org"}\n{"name": "\\ud800"}\n', '{"email": "a@example.org"}\n{"email": "\\ud800@x.org"}\n',
    '{"email": "anne@example.org"}\n{"\\ud800": "x"}\n', "\x00,email\nx,\x00@\n", "email,name\na@example.org,\x00\n",
])  # fmt: skip
def test_no_character_of_a_file_stops_the_page_the_job_or_the_report(world: World, mia: Person, text: str) -> None:
    where = looked(mia, text)
    assert mia.get(where).status_code == 200
    assert mia.post(f"{where}/start", **(WAY | {"way": "invite"})).status_code == 303
    world.run("imports")
    assert mia.get(where).status_code == 200
    assert mia.get(f"{where}/report.csv").text.count("\n") > 1


@ONE_DATABASE
def test_an_import_without_a_column_of_addresses_does_not_begin(mia: Person) -> None:
    where = looked(mia, "who,what\nx,y\n")
    assert mia.post(f"{where}/start", **WAY).status_code == 422
    assert mia.get("/admin/import/99999999999999999999").status_code == 404


def forged(path: Path, name: str, old: bytes, new: bytes) -> Path:
    """A workbook of three people, an entry of which says something else."""
    workbook([("email",), ("a@x.org",), ("b@x.org",), ("c@x.org",)], path)
    with zipfile.ZipFile(path) as archive:
        entries = {one: archive.read(one) for one in archive.namelist()}
    assert old in entries[name]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, octets in entries.items():
            archive.writestr(one, octets.replace(old, new, 1) if one == name else octets)
    return path


SHEET, BEGIN = "xl/worksheets/sheet1.xml", b"<sheetData>"


@each(("name", "old", "new"), [
    (SHEET, BEGIN, BEGIN + b"<row>" + b"<c/>" * 150_000 + b"</row>"), (SHEET, BEGIN, b"<x/>" * 150_000 + BEGIN),
    ("xl/styles.xml", b"</cellXfs>", b"<xf/>" * 2 * 10**5 + b"</cellXfs>"),
])  # fmt: skip
def test_a_workbook_that_would_fill_the_memory_is_refused(tmp_path: Path, name: str, old: bytes, new: bytes) -> None:
    with pytest.raises(reading.Unreadable):
        reading.opened(forged(tmp_path / "list", name, old, new))


def test_rows_that_a_workbook_leaves_out_are_not_made_up(tmp_path: Path) -> None:
    path = forged(tmp_path / "list", SHEET, b'<row r="4"', b'<row r="99999999999"')
    assert [row.cells for row in reading.opened(path).rows()] == [["a@x.org"], ["b@x.org"], ["c@x.org"]]


@each(("old", "new"), [(b'r="A4"', b'r="ZZZZZ4"'), (b'<row r="4"', b'<row r="x"'), (b"</sheetData>", b"<")])
def test_where_a_workbook_breaks_off_the_last_row_says_so_and_nothing_stops(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    found = list(reading.opened(forged(tmp_path / "list", SHEET, old, new)).rows())
    assert found[1].cells == ["b@x.org"] and found[-1].fault is Outcome.BROKEN
