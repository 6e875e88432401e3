"""Commands that bring in a list from another program."""

import csv
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import click

from subscriptions.actions import imports as acting
from subscriptions.actions.invite import resume
from subscriptions.actions.undo import undo as undo_import
from subscriptions.cli import acts, as_json, print_rows, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.imports import BY_LETTER, MOST_PER_DAY, ORDERS, PER_DAY, TAKEN, Way
from subscriptions.imports import mapping, reading, work
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED
from subscriptions.parts import current_parts
from subscriptions.store import audit, imports
from subscriptions.store.engine import reading as looking
from subscriptions.store.models import Import

SHOWN = 10  # rows of a dry run


class _WithFile(Group):
    """`import FILE …` is short for `import file FILE …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_short = args and args[0] not in self.commands and args[0] != "--help"
        return super().parse_args(ctx, ["file", *args] if is_short else args)


group = _WithFile("import", help="Bring in a list that you have already: import FILE --list SLUG. See docs/import.md.")


@group.command("file")
@click.argument("file", type=click.File("rb"))
@click.option("--list", "slug", required=True, help="The list that the people are for.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen, and how the columns are read.")
@click.option("--map", "said", multiple=True, metavar="COLUMN=FIELD",
              help="Read COLUMN as FIELD. Behind a time, :dmy or :mdy says what comes first.")  # fmt: skip
@click.option("--with-evidence", "way", flag_value="evidence",
              help="Each row proves its consent: both times, and an IP address or a document.")  # fmt: skip
@click.option("--invite", "way", flag_value="invite", help="Ask each person once, by an email to confirm.")
@click.option("--document", type=acts.line, help="Where the proof of every row is kept, such as a folder.")
@click.option("--per-day", type=click.IntRange(1, MOST_PER_DAY), default=PER_DAY, show_default=True,
              help="How many are invited in a day.")  # fmt: skip
@ready
def file_(
    file: IO[bytes], slug: str, said: tuple[str, ...], way: str | None, document: str | None, per_day: int, *,
    dry_run: bool,
) -> None:  # fmt: skip
    """Import the people of FILE (CSV, JSON Lines, XLSX, or an address on each line) into a list."""
    if not way and not dry_run:
        raise click.UsageError("Choose --with-evidence or --invite, or look at the file with --dry-run.")
    parts, row, wished = current_parts(), the_list(slug), Way(way or "evidence")
    try:
        id_ = work.keep(parts, file, Path(file.name).name, row, acts.act(list=slug))
    except reading.Unreadable as error:
        raise click.ClickException(str(error)) from None
    try:
        found, table = _found(id_), reading.opened(work.file_of(parts, id_))
        found.columns = mapping.chosen(table, found.columns, mapping.places(table, said), work.keys_of(row))
        found.document = document or ""
        if dry_run:
            _show(found, table, wished)
            return
        with looking() as session:
            known = imports.same(session, found, wished, found.columns, found.document)
        begun = known.id if known and known.stage in imports.AT_WORK else id_
        if begun == id_:
            acting.start(id_, wished, found.columns, found.document, per_day, acts.act(list=slug, way=wished))
    except reading.Unreadable as error:
        raise click.ClickException(str(error)) from None
    finally:
        work.drop(parts, id_)  # unless it has begun
    _work(begun)
    click.echo(f"Import {begun}: {_found(begun).stage}.")
    _say(_found(begun).counts)


def _found(id_: int) -> Import:
    with looking() as session:
        found = imports.find(session, id_)
    if found is None:
        raise click.ClickException(f"There is no import {id_}: see `yestwice import show`.")
    return found


def _show(found: Import, table: reading.Table, way: Way) -> None:
    """The columns, the first rows, and every problem with its number; changes nothing."""
    rows, counts = work.judged(current_parts(), found, way), Counter[str]()
    click.echo(f"{table.kind}, {table.encoding}" + (f", from {found.source}" if found.source != found.name else ""))
    for name, (field, order) in zip(table.columns, found.columns, strict=True):
        click.echo(f"  {name or '(each line)'}: {field or '-'}{f':{order}' if order in ORDERS else ''}")
    for row, outcome in rows:
        counts[outcome] += 1
        if (outcome not in TAKEN and counts[outcome] == 1) or counts.total() <= SHOWN:
            click.echo(f"  row {row.number}: {outcome.says}")
    _say(counts)


def _say(counts: Mapping[str, int]) -> None:
    for letter, number in Counter(counts).most_common():
        click.echo(f"{number:>9}  {BY_LETTER[letter].says}")


def _work(id_: int) -> None:
    """Here and now, unless another is at work: that one does it next."""
    parts = current_parts()
    with work.file_of(parts, id_).open("rb") as file:
        lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(1024 * 1024), b""))
    bar: Any
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=lines + 1, label="Importing", file=sys.stderr, hidden=hidden) as bar:
        here = replace(NAMED["imports"], work=lambda run: work.run(run.parts, run.alive, None, bar.update))
        try:
            lease.run(here, parts, asked=True)
        except lease.Running:
            click.echo("Another import is at work: this one follows it by itself.", err=True)


@group.command("show")
@click.argument("id_", metavar="[ID]", type=int, required=False)
@click.option(
    "-o", "out", type=click.File("w", encoding="utf-8"), help="With ID: write the report of every row, as CSV."
)
@as_json
@ready
def show(id_: int | None, out: IO[str] | None, *, as_json: bool) -> None:
    """Show imports and what became of their rows."""
    if id_ and out:
        audit.note(acts.act(import_id=id_))
        try:
            csv.writer(out).writerows(work.told(current_parts(), _found(id_), str))
        except FileNotFoundError:
            raise click.ClickException("The report goes a day after the end: only numbers are left.") from None
        return
    lists = current_parts().catalogue.lists
    with looking() as session:
        found = [_found(id_)] if id_ else imports.all_of(session, lists)
    lines = [{"id": one.id, "list": lists[one.list_id].slug, "stage": str(one.stage), "way": one.way,
              "rows": one.rows, "taken": sum(one.counts.get(each, 0) for each in TAKEN),
              "made_at": one.made_at} for one in found]  # fmt: skip
    print_rows(lines, {name: (name, "-") for name in lines[0]} if lines else {}, as_json=as_json)
    if id_ and not as_json:
        _say(found[0].counts)


@group.command("undo")
@click.argument("id_", metavar="ID", type=int)
@acts.yes
@ready
def undo(id_: int, yes: bool) -> None:
    """Undo an import within a day: what has not changed since is removed as if it had never been there."""
    if not yes:
        acts.ask(f"This removes the people of import {id_} who have not left or changed anything since.")
    click.echo(f"{undo_import(id_, acts.act(import_id=id_))} removed.")


@group.command("resume")
@click.argument("id_", metavar="ID", type=int)
@ready
def resume_(id_: int) -> None:
    """Go on with invitations that halted because too many came back."""
    resume(id_, acts.act(import_id=id_))
    click.echo("The invitations go on.")
