"""CSV for spreadsheets: addresses are whole or left out and counted, own fields are columns, and Excel opens it."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from subscriptions.export.stream import is_left_out
from subscriptions.languages import has_decimal_comma
from tests.builders import ANNE, LISTS, NEWS, World, bearer
from tests.conftest import ManualClock
from tests.support.cases import each
from tests.test_commands import run

URL = f"/api/v1/lists/{NEWS}/export?format="
WHOLE = ["-mia@example.org", "+1-555@example.org", "-.mia_x+y-z@example.org", "mia@example.org", "'mia@example.org",
         "1=2@example.org"]  # fmt: skip
LEFT_OUT = ["=cmd|'/c'!a0@example.org", "=1+1@example.org", "-1*2@example.org", "+cmd|'/c'!a0@example.org",
            "-mia/x@example.org"]  # fmt: skip


@pytest.fixture
def german(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    """A list with fields of its own, where people write 1,5."""
    app = make_app(lists=(replace(LISTS[0], locale="de", fields=("name", "given_name", "town: Town")), *LISTS[1:]))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def export(world: World, query: str) -> TestResponse:
    return world.get(f"{URL}{query}", headers=bearer("export"))


def table(answer: TestResponse, separator: str = ",") -> list[list[str]]:
    text = answer.data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))


def fill(world: World, addresses: list[str]) -> None:
    for address in addresses:
        world.subscribe(address)


def test_an_address_is_whole_in_csv_or_left_out_and_counted(world: World) -> None:
    fill(world, [*WHOLE, *LEFT_OUT])
    answer = export(world, "csv")
    assert [row[0] for row in table(answer)[1:]] == WHOLE
    assert answer.headers["X-Export-Left-Out"] == str(len(LEFT_OUT))
    everybody = export(world, "jsonl")
    assert everybody.data.count(b"\n") == len(WHOLE) + len(LEFT_OUT) and "X-Export-Left-Out" not in everybody.headers


def test_who_may_not_be_mailed_is_not_counted_as_left_out(world: World) -> None:
    fill(world, LEFT_OUT[:2])
    world.post(world.leave_link(LEFT_OUT[0]))
    assert export(world, "csv").headers["X-Export-Left-Out"] == "1"
    assert export(world, "csv&x=y").headers["X-Export-Left-Out"] == "1"


@each(
    ("addresses", "left_out"),
    [
        (WHOLE, False),
        (LEFT_OUT, True),
        ([None, "", ANNE, "-jörg@bücher.example"], False),
        (["＝mia@example.org", "＋mia@example.org", "－mia@example.org"], True),
    ],
)
def test_only_what_a_spreadsheet_could_run_is_left_out(addresses: list[str | None], left_out: bool) -> None:
    assert [address for address in addresses if is_left_out(address) is not left_out] == []


def test_the_command_says_how_many_are_left_out(world: World) -> None:
    fill(world, [ANNE, LEFT_OUT[0]])
    result = run(world, "export", NEWS)
    assert result.exit_code == 0 and result.stdout.count("\n") == 2
    assert "1 subscription is left out" in result.stderr and "--format jsonl has everybody" in result.stderr
    assert "left out" not in run(world, "export", NEWS, "--format", "jsonl").stderr


def test_wording_and_fields_of_the_list_are_columns_and_the_whole_name_stays(german: World) -> None:
    german.subscribe(ANNE, given_name="Anne", town="=Köln")
    german.subscribe("bart@example.org", name="Bart")
    head, anne, bart = table(export(german, "csv"))
    assert head[6:] == ["unsubscribe_url", "wording_id", "given_name", "town"]
    assert (anne[1], anne[8:], bart[1], bart[8:]) == ("Anne", ["Anne", "'=Köln"], "Bart", ["", ""])


def test_the_wording_is_the_one_that_was_agreed_to(world: World) -> None:
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    world.subscribe(ANNE, wording=row.wording_id)
    assert table(export(world, "csv"))[1][7] == row.wording_id


def test_excel_gets_its_mark_and_the_separator_of_the_lists_country(german: World) -> None:
    german.subscribe(ANNE, name="Anne; Ännë")
    answer = export(german, "csv&dialect=excel")
    assert answer.data.startswith(b"\xef\xbb\xbf") and answer.data.count(b"\r\n") == 2
    assert table(answer, ";")[1][:2] == [ANNE, "Anne; Ännë"]
    assert run(german, "export", NEWS, "--dialect", "excel").stdout_bytes == answer.data
    assert export(german, "csv&dialect=rfc4180").data == export(german, "csv").data


def test_excel_in_a_country_of_decimal_points_gets_commas(world: World) -> None:
    world.subscribe(ANNE)
    assert table(export(world, "csv&dialect=excel"))[1][0] == ANNE


@each(
    ("tag", "comma"),
    [("de", True), ("de-CH", False), ("fr-FR", True), ("es", True), ("es-MX", False), ("pt-BR", True), ("en", False),
     ("de-XX", True), ("xx", False)],
)  # fmt: skip
def test_decimal_commas_by_country(tag: str, comma: bool) -> None:
    assert has_decimal_comma(tag) is comma


@each("query", ["csv&dialect=", "csv&dialect=Excel", "jsonl&dialect=excel", "csv&dialect=tsv"])
def test_another_dialect_is_refused(world: World, query: str) -> None:
    answer = export(world, query)
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["pointer"]) == (422, "/dialect")
    assert run(world, "export", NEWS, "--format", "jsonl", "--dialect", "excel").exit_code == 2
