"""docs/data.md names every table, what it keeps and how long."""

import re
from pathlib import Path

from subscriptions.store.models import db

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data.md"


def rows() -> list[list[str]]:
    """The cells of the table of what is kept."""
    table = PAGE.read_text("utf-8").partition("## Retention")[2].partition("\n\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_table_of_the_database_is_on_the_page_and_no_other() -> None:
    named = {name for _, tables, *_ in rows() for name in re.findall(r"`(\w+)`", tables)}
    assert named == set(db.metadata.tables)


def test_of_everything_that_is_kept_the_page_says_what_it_is_and_how_long() -> None:
    assert not [row for row in rows() if len(row) != 5 or not row[0] or not row[3]]
