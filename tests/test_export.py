"""Exports: who is in them, in which form, and page by page."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from subscriptions.actions.leave import Withdrawal, leave
from subscriptions.actions.suppress import suppress
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.export import stream
from subscriptions.store.engine import transaction
from subscriptions.store.models import Subscription
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World, bearer
from tests.support.cases import each

PATH = f"/api/v1/lists/{NEWS}/export"
FIELDS = ["email", "name", "list", "locale", "registered_at", "confirmed_at", "unsubscribe_url", "wording_id"]


def export(world: World, kind: str) -> TestResponse:
    return world.get(f"{PATH}?format={kind}", headers=bearer("export"))


def cells(world: World) -> list[list[str]]:
    return list(csv.reader(io.StringIO(export(world, "csv").text, newline=""), strict=True))


def lines(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in export(world, "jsonl").data.split(b"\n")[:-1]]


def change(world: World, address: str, **values: object) -> None:
    with transaction() as session:
        session.execute(sa.update(Subscription).where(Subscription.address == address).values(**values))


def named(world: World, name: str | None, address: str = ANNE) -> None:
    """A subscriber of that name; other ways into the table than our form may bring any."""
    world.subscribe(address)
    change(world, address, name=name)


def test_a_row_carries_what_a_sender_needs_and_no_more(world: World) -> None:
    world.subscribe(ANNE, name="Anne", locale="de")
    head, row = cells(world)
    assert (head, row[:6]) == (FIELDS, [ANNE, "Anne", NEWS, "de", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"])
    [line] = lines(world)
    assert list(line) == ["id", *FIELDS, "headers"]
    assert [line[field] or "" for field in FIELDS] == row


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_the_answer_is_a_file_that_no_cache_keeps(world: World, kind: str) -> None:
    answer = export(world, kind)
    name = f"newsletter-20261123T120000Z.{kind}"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answer.headers["X-Export-Started-At"] == "2026-11-23T12:00:00Z"
    assert answer.headers["Content-Type"].startswith(
        {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}[kind]
    )


@each("kind", ["xml", "", "CSV", "csv,jsonl", "%00"])
def test_another_format_is_refused(world: World, kind: str) -> None:
    answer = export(world, kind)
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["pointer"]) == (422, "/format")


def test_an_export_of_nobody_has_a_head_alone(world: World) -> None:
    assert (cells(world), export(world, "jsonl").data) == ([FIELDS], b"")


def test_only_who_may_be_mailed_is_in_it(world: World) -> None:
    for name in ("stays", "left", "bounced", "restricted", "suppressed"):
        world.subscribe(f"{name}@example.org")
    key = {one.address: one.key for one in world.subscriptions()}
    now, policy = world.clock.now(), world.parts.policy
    world.post(world.leave_link("left@example.org"))
    leave(key["bounced@example.org"], None, Withdrawal(Event.BOUNCE, Channel.RELAY, "550"), now, policy)
    suppress(key["suppressed@example.org"], "all", "objection", now, policy, "test")
    change(world, "restricted@example.org", restricted=True)
    world.sign_up("pending@example.org")
    world.subscribe("another@example.org", OFFERS)
    assert Office(world).exported(NEWS) == ["stays@example.org"]


def test_a_suppression_counts_even_where_the_subscription_is_still_open(world: World) -> None:
    world.subscribe(BART)
    key, policy = world.subscriptions()[0].key, world.parts.policy
    suppress(key, SuppressionScope.CONFIRMATIONS, "not me", world.clock.now(), policy, "test")
    assert Office(world).exported(NEWS) == [BART]


def test_a_blocked_sign_up_is_never_in_it(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    assert Office(world).exported(NEWS) == []
    world.block()
    assert Office(world).exported(NEWS) == []


FORMULAS = [f"{sign}cmd|' /C calc'!A0" for sign in "=+-@\t\r\n＝＋－＠"] + [
    " =1+1", "\u00a0=1", "\u3000＝1", "\x0b=1", "\t\t=1",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS, ids=ascii)
def test_no_cell_begins_a_formula(world: World, name: str) -> None:
    named(world, name)
    assert cells(world)[1][1] == f"'{name}"


NAMES = [
    None,
    'Anne "the" Example',
    "a,b;c",
    "a\r\nb",
    "a\nb",
    "Ännë 🙂",
    "'x",
    "a\tb",
    " spaced ",
    '"',
    "a=b",
    "\u2028",
    "\ufeffx",
    "1-2",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_survives_both_formats(world: World, name: str | None) -> None:
    named(world, name)
    assert (cells(world)[1][1], lines(world)[0]["name"]) == (name or "", name)
    assert export(world, "jsonl").data.count(b"\n") == 1


def test_csv_is_quoted_and_ends_its_lines_as_rfc_4180_says(world: World) -> None:
    named(world, "a\nb")
    data = export(world, "csv").data
    assert data.startswith(b'"email","name",') and data.endswith(b'"\r\n')
    assert data.count(b"\r\n") == 2


def test_the_header_pair_is_ready_to_be_copied(world: World) -> None:
    world.subscribe(BART)
    [line] = lines(world)
    assert line["headers"] == {
        "List-Unsubscribe": f"<{line['unsubscribe_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/unsubscribe/[\w.-]+>", line["headers"]["List-Unsubscribe"])


@pytest.mark.parametrize("at", [0, 1])
def test_the_url_of_a_row_takes_that_person_off_the_list(world: World, at: int) -> None:
    for address in (ANNE, BART):
        world.subscribe(address)
    url = lines(world)[at]["unsubscribe_url"]
    assert world.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Office(world).exported(NEWS) == [[BART], [ANNE]][at]


def pages_of(world: World, monkeypatch: pytest.MonkeyPatch, size: int = 2) -> Iterator[list[str]]:
    """The export, a page of addresses at a time, as a slow reader takes it."""
    monkeypatch.setattr(stream, "PAGE", size)
    row = world.parts.catalogue.by_slug(NEWS)
    assert row is not None
    for chunk in stream.export(row, "jsonl", world.parts.links, world.clock.now()):
        yield [json.loads(line)["email"] for line in chunk.splitlines()]


def test_pages_together_are_everybody_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"a{number}@example.org" for number in range(5)]
    for name in names:
        world.subscribe(name)
    found = {size: list(pages_of(world, monkeypatch, size)) for size in range(1, 7)}
    assert {size: [name for page in pages for name in page] for size, pages in found.items()} == dict.fromkeys(
        found, names
    )
    assert {size: pages for size, pages in found.items() if max(map(len, pages)) > size} == {}


def test_who_leaves_and_comes_back_meanwhile_is_there_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    export = pages_of(world, monkeypatch, 1)
    first = next(export)
    for address in (ANNE, CRIS):
        world.post(world.leave_link(address))
        world.subscribe(address)
    rest = [name for page in export for name in page]
    assert (first, rest) == ([ANNE], [BART])


def test_who_leaves_before_their_page_is_read_is_not_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    export = pages_of(world, monkeypatch, 1)
    next(export)
    world.post(world.leave_link(BART))
    assert [name for page in export for name in page] == [CRIS]


def test_a_suppression_during_the_export_counts_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (ANNE, BART):
        world.subscribe(address)
    export = pages_of(world, monkeypatch, 1)
    next(export)
    key = world.subscriptions()[1].key
    suppress(key, "all", "objection", world.clock.now(), world.parts.policy, "test")
    assert list(export) == []


def test_a_head_request_reads_nobody(world: World) -> None:
    world.subscribe(BART)
    answer = world.client.head(f"{PATH}?format=csv", headers=bearer("export"))
    assert (answer.status_code, answer.data) == (200, b"")


def test_an_export_is_logged_with_the_client_that_took_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.subscribe(BART)
    with caplog.at_level("INFO"):
        export(world, "csv")
    [record] = [one for one in caplog.records if one.getMessage() == "export"]
    assert (vars(record)["list"], vars(record)["format"]) == (NEWS, "csv") and vars(record)["client"]
    assert BART not in caplog.text
