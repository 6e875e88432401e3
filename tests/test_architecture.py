"""The rooms and their arrows: who may know whom, by the imports of the code itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cases import each

HOME = Path(__file__).resolve().parents[1]
CODE = HOME / "subscriptions"

# arrows point down only; `parts` and `start` join the rooms, and know them all
MAY_IMPORT: dict[str, set[str]] = {
    room: set(below.split())
    for room, below in {
        "domain": "",
        "clock": "",
        "deadline": "clock",
        "busy": "",
        "places": "",
        "languages": "domain clock places",
        "logs": "",
        "disposable": "",
        "look": "",
        "settings": "domain look places",
        "keys": "domain settings links clock",
        "passwords": "",
        "totp": "",
        "links": "domain clock",
        "store": "domain settings clock deadline",
        "actions": "domain store links clock deadline",
        "export": "domain store languages links clock",
        "mail": "domain look store settings languages links clock",
        "lookup": "clock",
        "fetch": "domain settings clock",
        "watch": "domain store clock",
        "imports": "domain store actions export links parts",
        "inbound": "domain store actions links mail settings clock languages parts",
        "jobs": "domain store actions imports clock parts inbound",
        "parts": "domain store actions mail settings languages clock links keys watch lookup disposable busy findings "
        "fetch",
        "witness": "domain store links",
        "backup": "domain store actions clock",
        "story": "domain store mail parts",
        "proof": "story domain store mail languages clock parts",
        "record": "domain mail settings store languages parts",
        "web": "doctor imports proof record story passwords totp domain look store actions mail inbound jobs export "
        "settings languages clock links logs parts",
        "findings": "domain store settings clock keys",
        "fits": "domain store settings clock links keys",
        "doctor": "domain store settings mail inbound clock parts lookup fetch jobs",
        "start": "domain store jobs settings clock fits parts",
        "foreign": "domain settings start parts",
        "serving": "store actions web jobs settings start logs parts clock deadline",
        "pipe": "store actions inbound settings keys fits lookup logs clock",
        "__main__": "cli start serving places pipe",
        "cli": "doctor backup imports proof record story witness domain look store actions mail inbound jobs export "
        "settings keys clock languages logs parts start fits findings foreign disposable places pipe",
    }.items()
}
# the same inside web/
INNER = {
    room: set(below.split())
    for room, below in {
        "http": "",
        "intake": "http",
        "pages": "http intake",
        "embed": "http intake pages",
        "api": "http intake",
        "tryout": "http",
        "admin": "http intake pages embed",  # which it shows before they are so
    }.items()
}
BENCH = sorted((HOME / "bench").glob("*.py"))
FILES = sorted(path for path in CODE.rglob("*.py") if "migrations" not in path.parts)
READS_TIME = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime"}


def imports(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in ("subscriptions", "subscriptions.web"):
                yield from (f"{node.module}.{one.name}" for one in node.names)
            else:
                yield node.module


def room(path: Path) -> str:
    return path.relative_to(CODE).parts[0].removesuffix(".py")


@each("path", FILES)
def test_a_room_knows_only_the_rooms_below_it(path: Path) -> None:
    here = room(path)
    known = {name.split(".")[1] for name in imports(path) if name.startswith("subscriptions.")}
    assert known - {here, "__version__"} <= (MAY_IMPORT[here] if here != "__init__" else set())


@each("path", sorted((CODE / "web").glob("*/**/*.py")))
def test_inside_the_web_a_room_knows_only_the_rooms_below_it(path: Path) -> None:
    here = path.relative_to(CODE / "web").parts[0]
    known = {name.split(".")[2] for name in imports(path) if name.startswith("subscriptions.web.")}
    assert known <= {here, *INNER[here]}


@each("path", sorted((CODE / "web/intake").glob("*.py")))
def test_what_a_body_says_is_read_without_flask(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] in ("flask", "flask_babel")]


def test_the_arrows_make_no_circle() -> None:
    order: list[str] = []
    while left := MAY_IMPORT.keys() - order:
        order += (lowest := sorted(room for room in left if MAY_IMPORT[room] <= set(order)))
        assert lowest, left


def test_nobody_imports_from_inside_out_of_sight_of_the_arrows() -> None:
    relative = [path.name for path in FILES for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.ImportFrom) and node.level]  # fmt: skip
    assert relative == []


@each("path", sorted((CODE / "domain").glob("*.py")))
def test_the_domain_is_made_of_the_standard_library_alone(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)} - {"subscriptions"}
    allowed = set(sys.stdlib_module_names) | ({"email_validator"} if path.stem == "address" else set())
    assert roots <= allowed


ASKS = {"get", "get_one", "scalar", "scalars", "execute", "delete"}


@each("path", [path for path in FILES if room(path) != "store"])
def test_what_is_asked_of_the_database_stands_in_the_store(path: Path) -> None:
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)]
    assert [ast.unparse(node) for node in nodes if node.attr in ASKS and ast.unparse(node.value) == "session"] == []


@pytest.mark.parametrize("room_", ["store", "actions", "mail", "domain"])
def test_rules_and_storage_do_not_speak_http(room_: str) -> None:
    spoken = {name for path in (CODE / room_).rglob("*.py") for name in imports(path)}
    assert not {name for name in spoken if name.startswith(("werkzeug", "granian", "subscriptions.web"))}


def test_the_product_does_not_know_its_benchmarks() -> None:
    assert [path.name for path in FILES for name in imports(path) if name.split(".")[0] == "bench"] == []


def test_only_the_schedule_knows_apscheduler() -> None:
    knowing = [path.name for path in FILES if any(name.startswith("apscheduler") for name in imports(path))]
    assert knowing == ["schedule.py"]


def readers_of_time(tree: ast.Module) -> list[str]:
    """What reads the time, called or handed on: datetime.now, dt.datetime.now, time.time, `from time import time`."""
    dotted = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in READS_TIME]
    named = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "time"]
    return [one for one in map(ast.unparse, dotted) if one.split(".")[-2] in ("datetime", "date", "time")] + [
        one.name for node in named for one in node.names if one.name in READS_TIME
    ]


@each("path", FILES)
def test_nobody_but_the_clock_reads_the_time(path: Path) -> None:
    found = readers_of_time(ast.parse(path.read_text("utf-8")))
    assert bool(found) is (path == CODE / "clock.py"), found


@pytest.mark.parametrize(
    "line", ["datetime.now(UTC)", "dt.datetime.utcnow()", "f(time.monotonic)", "from time import time", "date.today()"]
)
def test_every_way_to_read_the_time_is_noticed(line: str) -> None:
    assert readers_of_time(ast.parse(line))


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "services", "misc"])
def test_there_is_no_place_to_put_things(name: str) -> None:
    assert not [path for path in FILES if path.stem == name or name in path.parts]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


@each("path", [*FILES, *BENCH, HOME / "app.py"])
def test_functions_and_files_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= (40 if path.name == "app.py" else 250)
    assert [name for name, lines in functions(path) if lines > 50] == []
