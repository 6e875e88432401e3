"""Imports at work: a file is kept, its rows are brought in, invitations go out; and the report of every row."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO

from subscriptions.actions import imports as acts
from subscriptions.actions import invite
from subscriptions.actions.gate import Need, Pass
from subscriptions.actions.subscribe import ListChoice, SignUp
from subscriptions.domain.address import parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.fields import fields_of
from subscriptions.domain.imports import BY_LETTER, FILE_KEPT, GOOD, PER_DAY, TAKEN, Outcome, Person, Stage, Way
from subscriptions.export.layouts import FORMULA
from subscriptions.imports import mapping, reading
from subscriptions.imports.mapping import Reader
from subscriptions.parts import Parts
from subscriptions.store import imports
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading as looking
from subscriptions.store.models import Import, Invitation, List

LONGEST = 300  # letters of a cell in the report
BY_THE_CLOCK = 10_000  # rows of one run, unless a person waits for it
Progress = Callable[[int], object]


def file_of(parts: Parts, id_: int) -> Path:
    return parts.settings.data_dir / "imports" / str(id_)


def keep(parts: Parts, file: IO[bytes], name: str, row: List, act: Act) -> int:
    """A copy of the file, and what it seems to be; the id of the import. Raises Unreadable."""
    name = "".join(filter(str.isprintable, name)).replace("@", " ")[:100]
    hashed, path = hashlib.sha256(), file_of(parts, 0).with_name(secrets.token_hex(8))
    try:
        reading.copied(file, path, hashed.update)
        table = reading.opened(path)
        new = Import(
            list_id=row.id, stage=Stage.LOOKED, name=name, sha256=hashed.hexdigest(), document="", rows=0,
            columns=mapping.guessed(table, keys_of(row)), counts={}, per_day=PER_DAY, made_at=act.at,
            source=mapping.title_of(table.columns) or name,
        )  # fmt: skip
        path.replace(file_of(parts, id_ := acts.begin(new, act)))
        return id_
    finally:
        path.unlink(missing_ok=True)


def keys_of(row: List) -> list[str]:
    return [field.key for field in fields_of(*row.fields)]


def looked(
    parts: Parts, row: Import, way: Way, at_most: int | None = None
) -> Iterator[tuple[reading.Row, Person | Outcome]]:
    """Each row with what it says, from the first that is not done."""
    table, of = reading.opened(file_of(parts, row.id)), parts.catalogue.lists[row.list_id]
    read = Reader(
        row.columns, way, keys_of(of), of.locale, row.source, row.document, parts.clock.now(), parts.mailable,
        parts.settings.takes_special, parts.links, mapping.subscribed(table.columns),
    ).read  # fmt: skip
    return ((one, read(one)) for one in islice(table.rows(), row.rows, at_most and row.rows + at_most))


def judged(parts: Parts, row: Import, way: Way, at_most: int | None = None) -> Iterator[tuple[reading.Row, Outcome]]:
    """Each row with what would become of it, before anybody looks at who is known."""
    found = looked(parts, row, way, at_most)
    return ((one, said if isinstance(said, Outcome) else GOOD[way]) for one, said in found)


def run(parts: Parts, alive: Callable[[], bool], at_most: int | None = BY_THE_CLOCK, progress: Progress = int) -> int:
    """All that is at work here; how many rows and invitations."""
    with looking() as session:
        ids = imports.at_work(session)
    done = sum(_bring(parts, id_, alive, at_most, progress) for id_ in ids if file_of(parts, id_).exists())
    done += sum(invite.invite(id_, lambda one: sign_up(parts, one), parts.clock.now(), parts.policy) for id_ in ids)
    tidy(parts)
    return done


def _bring(parts: Parts, id_: int, alive: Callable[[], bool], at_most: int | None, progress: Progress) -> int:
    with looking() as session:
        row = imports.find(session, id_)
    if row is None or row.way is None or row.stage is not Stage.READING:
        return 0
    done = row.rows
    progress(done)
    rows = looked(parts, row, row.way, at_most)
    while told := [said for _, said in islice(rows, acts.BATCH)]:
        if not alive() or not acts.take_rows(id_, done, told, parts.clock.now(), parts.policy):
            return done - row.rows
        done += len(told)
        progress(len(told))
    if at_most is None or done - row.rows < at_most:
        acts.end_reading(id_, parts.clock.now())
    return done - row.rows


def sign_up(parts: Parts, one: Invitation) -> SignUp | None:
    """Somebody who waits, as if they had signed up; none: their list takes nobody, or they are never mailed."""
    row, address = parts.catalogue.lists[one.list_id], parse(one.address or "")
    if not parts.catalogue.takes(row) or parts.mailable.why_not(address):
        return None
    tag = one.locale or row.locale
    choice = ListChoice(row, parts.catalogue.wording_of(row, tag), vouched=False)
    return SignUp(
        address, (choice,), one.name, tag, one.fields, ref=secrets.token_bytes(16), key=one.key,
        channel=Channel.IMPORT, mailbox=parts.links.mailbox_key(address.folded), brings=Pass(Need.NEVER),
        vouched={"import": str(one.import_id), "row": str(one.row)},
    )  # fmt: skip


def told(parts: Parts, row: Import, say: Callable[[str], str]) -> Iterator[tuple[object, ...]]:
    """The report: each row that is done, the address as it stands in the file, and what became of it."""
    with looking() as session:
        outcomes = chain.from_iterable(imports.outcomes(session, row.id))
    place = [name for name, _ in row.columns].index("email")
    found = reading.opened(file_of(parts, row.id)).rows()
    yield "row", "email", "imported", "why"
    for one, letter in zip(found, outcomes, strict=False):
        outcome, text = BY_LETTER[letter], one.cells[place][:LONGEST]
        safe = f"'{text}" if FORMULA.match(text) else text
        yield one.number, safe, "yes" if outcome in TAKEN else "no", say(outcome.says)


def drop(parts: Parts, id_: int) -> None:
    """What was only looked at."""
    if acts.drop(id_):
        file_of(parts, id_).unlink(missing_ok=True)


def tidy(parts: Parts) -> None:
    """What ended a day ago goes, with its file; so does a file that no import has."""
    files = [*file_of(parts, 0).parent.glob("*")]  # before the look at what is kept: a file is named after its row is
    kept, old = {str(id_) for id_ in acts.forget_old(parts.clock.now())}, parts.clock.real_now() - FILE_KEPT
    for path in files:
        if path.name not in kept and (path.name.isdigit() or path.stat().st_mtime < old.timestamp()):
            path.unlink(missing_ok=True)
