"""The audit: who did what about persons and secrets; every command and every route says whether it leaves a row."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from flask.cli import run_command, shell_command

from subscriptions.actions import suppress
from subscriptions.cli import acts
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store import audit, suppressions
from subscriptions.store.engine import Contention, reading
from subscriptions.store.models import ActorKind, Audit, Read
from subscriptions.web.http.routes import ROUTES, Trace, Who
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, Office, World, bearer
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each
from tests.test_commands import logging_as_it_was, run
from tests.test_routes import path_of

__all__ = ["logging_as_it_was"]
NOBODY = "nobody@example.org"


def rows() -> list[Audit]:
    with reading() as session:
        return list(session.scalars(sa.select(Audit).order_by(Audit.id)))


def shown(world: World, *args: str) -> list[dict[str, Any]]:
    result = run(world, "audit", "show", "--json", *args)
    assert (result.exit_code, result.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def key(world: World, address: str) -> bytes:
    return world.parts.links.key(parse(address).folded)


def walked(group: click.Group, *before: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from walked(command, *before, name)
        elif command not in (run_command, shell_command):
            yield " ".join((*before, name))


OF_OTHERS = ("bench", "db", "routes")  # on databases of their own, of developers, of Flask
# What each command is called with, and the rows that it leaves: the act, and whom or how many it is about.
GRID: dict[str, tuple[str, list[tuple[str, object]]]] = {
    **{f"{group} show": ("", []) for group in ("lists", "tokens", "accounts", "jobs", "abuse", "retention")},
    **{name: ("", []) for name in ("policy fetch", "migrate", "evidence verify", "evidence head")},
    "lists create": ("extra --name Extra --locale en", [("lists create", None)]),
    "lists edit": ("extra --set description=More", [("lists edit", None)]),
    "lists wording": ("extra --text Yes.", [("lists wording", None)]),
    **{f"lists {step}": ("extra", [(f"lists {step}", None)]) for step in ("archive", "restore")},
    "lists take-over": ("extra", []),  # it is kept here already
    "record show": ("--language de", []),
    "policy show": (NEWS, []),
    "requests show": ("", [("requests show", 0)]),
    "tokens create": ("tool --scope read", [("tokens create", None)]),
    "tokens revoke": ("tool", [("tokens revoke", None)]),
    "accounts invite": ("ola@example.org --role viewer", [("accounts invite", 1)]),
    "accounts role": ("ola@example.org manager", [("accounts role", 1)]),
    "accounts reset": ("ola@example.org", []),  # nobody has come in by that name
    "accounts disable": ("ola@example.org", [("accounts disable", 1)]),
    "import file": (f"list.csv --list {NEWS} --invite", [("import file", None), ("import file", None)]),
    "import show": ("1 -o report.csv", [("import show", None)]), "import undo": ("1 --yes", [("import undo", 1)]),
    "import resume": ("1", []),
    "export": (NEWS, [("export", 2)]),
    "explain": (ANNE, [("explain", ANNE)]),
    "proof": (f"{ANNE} --list {NEWS} -o proof", [("proof", ANNE)]),
    "unsubscribe": (f"{ANNE} --channel letter", [("unsubscribe", ANNE)]),
    "suppressions add": (f"{ANNE} --scope all --reason asked --yes", [("suppressions add", ANNE)]),
    "suppressions show": ("", [("suppressions show", 1)]),
    "suppressions lift": (f"{ANNE} --reason asked", [("suppressions lift", ANNE)]),
    "hold add": (f"{ANNE} --reason dispute --review 2027-03-01", [("hold add", ANNE)]),
    "hold show": ("", [("hold show", 1)]), "hold lift": (f"{ANNE} --reason over", [("hold lift", ANNE)]),
    "erase": (f"{BART} --yes", [("erase", BART)]),
    "jobs run": ("deliver", [("jobs run", 0)]),
    "mail test": (ANNE, []), "mail receive": ("", []), "mail poll": ("", []),
    "mail preview": ("--mail confirm --language en", []),
    "mail lint": ("--mail confirm --language en", []),
    "abuse cancel": ("--since 2h --yes", [("abuse cancel begun", 1), ("abuse cancel done", 1)]),
    "abuse refresh": ("domains", [("abuse refresh", 2)]),
    "audit show": (ANNE, [("audit show", ANNE)]),
    "doctor": ("", []),
    "go-live": ("--yes", [("go-live", 4)]),
    "backup": ("backup.file", [("backup", None)]), "restore": ("backup.file --yes", [("restore", 0)]),
}  # fmt: skip


def test_each_command_leaves_the_rows_that_are_said_of_it_here(
    world: World, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "account", lambda: "operator")
    assert set(GRID) == {name for name in walked(world.app.cli) if name.split()[0] not in OF_OTHERS}
    world.subscribe(ANNE), world.subscribe(BART)
    world.sign_up(CRIS)
    world.deliver()
    clock.forward(seconds=1)
    (tmp_path / "domains").write_text("throw-away.example\nburner.example\n")
    (tmp_path / "list.csv").write_text("email\ndora@example.org\n")
    monkeypatch.chdir(tmp_path)
    wrong, before = [], 0
    for name, (args, said) in GRID.items():
        run(world, *name.split(), *args.split())
        new, before = rows()[before:], len(rows())
        about = [key(world, of) if isinstance(of, str) else of for _, of in said]
        found = [(row.act, row.about or row.count, row.actor_kind, row.actor) for row in new]
        if name == "erase":  # nothing but sealed proof stays, and that is known by the key
            assert [row.address for row in world.subscriptions()] == [ANNE, None]
        if found != [(act, of, "command", "operator") for (act, _), of in zip(said, about, strict=True)]:
            wrong.append((name, found))
    assert wrong == []


def test_a_command_without_a_case_above_is_noticed(world: World) -> None:
    world.app.cli.add_command(new := click.Command("new"))
    try:
        assert new.name in {*walked(world.app.cli)} - set(GRID)
    finally:
        world.app.cli.commands.pop("new")


@each("command", [f"explain {NOBODY}", f"erase {NOBODY} --yes", f"suppressions lift {NOBODY} --reason x",
                  f"unsubscribe {NOBODY} --channel phone", f"suppressions show {NOBODY}"])  # fmt: skip
def test_to_look_for_somebody_unknown_leaves_a_row_too(world: World, command: str) -> None:
    before = len(rows())
    run(world, *command.split())
    assert [row.about for row in rows()[before:]] == [key(world, NOBODY)]


def test_every_route_leaves_for_a_token_what_its_row_says(world: World) -> None:
    wrong = []
    for rule in world.app.url_map.iter_rules():
        row = ROUTES[rule.endpoint]
        if not row.scope:
            continue
        method = "POST" if "POST" in (rule.methods or set()) else "GET"
        before, header = len(rows()), bearer(row.scope)
        body = {"json": {"email": ANNE, "list": NEWS}} if method == "POST" else {}
        if rule.endpoint == "events.take":
            body["json"]["type"] = "unsubscribe"
        answer = world.client.open(path_of(rule), method=method, headers=header, base_url=world.base_url,
                                   environ_base={"REMOTE_ADDR": "203.0.113.7"}, **body)  # fmt: skip
        assert answer.status_code in (200, 202), rule
        left = {Trace.NONE: (0, 0), Trace.ITS_OWN: (1, 0), Trace.COUNTED: (0, 1)}[row.trace]
        with reading() as session:
            tokens_read = session.query(Read).filter(Read.token == header["Authorization"][7:16]).count()
        if (len(rows()) - before, tokens_read) != left:
            wrong.append(rule.endpoint)
    assert wrong == []
    uncounted = {name for name, row in ROUTES.items() if row.scope and row.trace is not Trace.COUNTED}
    assert uncounted == {"api.subscribe", "events.take", "lists.export"}


def test_an_export_by_http_says_which_token_took_how_many_of_which_list(world: World) -> None:
    for address in (ANNE, BART, CRIS):
        world.subscribe(address)
    suppress.suppress(key(world, BART), SuppressionScope.ALL, "x", world.clock.now(), world.parts.policy, None)
    assert Office(world).exported(NEWS) == [ANNE, CRIS]
    [row] = rows()
    assert (row.actor_kind, row.actor, row.act, row.count) == (ActorKind.TOKEN, "export", "export", 2)
    assert row.details == {"list": NEWS, "format": "jsonl"}


def reads(world: World, *args: str) -> list[tuple[str, str, int]]:
    found = [one for one in shown(world, "--act", "read", *args) if one["actor"]["kind"] == "token"]
    return [(one["at"], one["details"].get("list", ""), one["count"]) for one in found]


def test_what_a_token_reads_is_one_row_for_each_list_and_hour_with_a_count(world: World, clock: ManualClock) -> None:
    office = Office(world)
    for _ in range(6):  # 12:00, 12:12 … 13:00
        office.listed(NEWS)
        office.listed(NEWS)
        office.listed(OFFERS)
        office.counts(NEWS)
        clock.forward(minutes=12)
    first = [("2026-11-23T12:00:00Z", slug, count) for slug, count in (("", 5), (NEWS, 10), (OFFERS, 5))]
    second = [("2026-11-23T13:00:00Z", slug, count) for slug, count in (("", 1), (NEWS, 2), (OFFERS, 1))]
    assert reads(world) == first + second
    assert rows() == [] and reads(world, "--until", "2026-11-23T13:00:00Z") == first
    for _ in range(2):
        world.run("tidy")
    assert reads(world) == first + second and len(rows()) == 3
    clock.forward(hours=1)
    world.run("tidy")
    assert reads(world) == first + second and len(rows()) == 6 and world.count(Read) == 0


def test_a_read_writes_nothing_but_the_first_of_its_minute_is_written_at_once(world: World) -> None:
    office = Office(world)
    for _ in range(3):
        office.listed(NEWS)
    with reading() as session:
        assert session.scalars(sa.select(Read.count)).all() == [1]
    assert list(world.parts.reads.waiting().values()) == [2]


def test_a_row_is_written_with_its_act_or_not_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **more: object) -> None:
        raise Contention("busy")

    monkeypatch.setattr(suppressions, "add", fails)
    result = run(world, "suppressions", "add", ANNE, "--scope", "confirmations", "--reason", "x")
    assert (result.exit_code, rows()) == (1, [])


@ONE_DATABASE
@each("text", ["", " ", "two\nlines", "x" * 201, "she wrote from anne@example.org", "tab\there"])
def test_a_reason_is_one_short_line_that_holds_no_address(world: World, text: str) -> None:
    for command in (("add", ANNE, "--scope", "confirmations"), ("lift", ANNE)):
        assert run(world, "suppressions", *command, "--reason", text).exit_code == 2
    assert run(world, "tokens", "create", text, "--scope", "read").exit_code == 2
    assert rows() == []


def test_what_waits_to_be_written_is_taken_along_by_the_jobs_of_its_process(world: World) -> None:
    world.parts.reads.note(("tool", NEWS, audit.hour_of(world.clock.now())))
    world.run("tidy")
    assert world.count(Read) == 1 and world.parts.reads.waiting() == {}


def test_only_routes_that_look_at_a_token_have_a_trace_of_it() -> None:
    looked_at = {Who.MAY_HAVE_TOKEN, Who.TOKEN, Who.LOOPBACK_OR_TOKEN}
    assert all(row.trace is Trace.COUNTED for row in ROUTES.values() if row.who not in looked_at)
