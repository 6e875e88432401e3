"""docs/data.md names every table, what it keeps and how long: its table is made from the one in the code."""

import re
from pathlib import Path

from subscriptions.domain.policy import Policy
from subscriptions.domain.retention import ROWS, Kept
from subscriptions.domain.texts import filled
from subscriptions.languages import durations
from subscriptions.store.models import db

PAGE = Path(__file__).resolve().parents[1] / "docs" / "data.md"
HEAD = "| what | stored in | what for | GDPR, Article | how long | what ends it |\n|---|---|---|---|---|---|\n"


def table() -> str:
    return HEAD + "\n".join(map(_line, ROWS))


def _line(row: Kept) -> str:
    named = ", ".join(f"`{one}`" for one in row.named)
    ends = f"job `{row.job}`" if row.job else row.ends
    period = filled(row.period, durations(Policy(), "en"))
    return f"| {row.what} | {named} | {row.purpose} | {row.basis} | {period} | {ends} |"


def test_the_pages_table_is_the_one_by_which_the_program_deletes() -> None:
    assert table() in PAGE.read_text("utf-8")


def test_every_table_of_the_database_is_on_the_page_and_no_other() -> None:
    shown = {name for name in re.findall(r"`(\w+)(?:\.\w+)?`", table().replace("job `", "job ‹"))}
    assert shown == set(db.metadata.tables)
