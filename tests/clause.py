"""The founding clause, sentence by sentence: what `pytest -m clause` says at its end, and the table of the README."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).parent.parent
TESTS = "tests/test_clause.py"
BEGIN, END = "<!-- clause:begin -->", "<!-- clause:end -->"

# each sentence, and where it is kept: file and name
CLAUSE: dict[str, tuple[tuple[str, str], ...]] = {
    "After your registration we send an e-mail to the address you gave and ask you to confirm.": (
        ("subscriptions/actions/subscribe.py", "subscribe"),
        ("subscriptions/mail/outbox.py", "Sender"),
        ("subscriptions/actions/confirm.py", "confirm"),
    ),
    "If you do not confirm within 24 hours, your information is blocked and automatically deleted after one month.": (
        ("subscriptions/domain/policy.py", "state_at"),
        ("subscriptions/domain/policy.py", "purge_at"),
        ("subscriptions/actions/sweep.py", "purge"),
        ("subscriptions/actions/sweep.py", "forget_times"),
        ("subscriptions/store/vacuum.py", "sweep_files"),
    ),
    "We store your IP address and the time of registration and of confirmation, to be able to prove your registration "
    "and clear up misuse.": (
        ("subscriptions/domain/evidence.py", "PROMISED_IP"),
        ("subscriptions/store/evidence.py", "add"),
        ("subscriptions/store/models/people.py", "Evidence"),
    ),
    "Your e-mail address is the only mandatory information; further, separately marked data is voluntary and used to "
    "address you personally.": (
        ("subscriptions/web/intake/parse.py", "from_form"),
        ("subscriptions/domain/address.py", "is_harmless"),
    ),
    "You may revoke at any time by the link in each newsletter or by e-mail.": (
        ("subscriptions/web/pages/leave.py", "unsubscribe"),
        ("subscriptions/actions/leave.py", "leave"),
        ("subscriptions/inbound/wishes.py", "wish_of"),
        ("subscriptions/actions/by_mail.py", "end"),
        ("subscriptions/cli/people.py", "unsubscribe"),
    ),
}


# The hook


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each report carries the sentences of its test, to whichever process prints the summary."""
    for item in items:
        for marker in item.iter_markers("clause"):
            if marker.args[0] not in CLAUSE:
                raise pytest.UsageError(f"{item.name} names no sentence of the clause: {marker.args[0]}")
            item.user_properties.append(("clause", marker.args[0]))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("markexpr") != "clause":
        return
    terminalreporter.section("the founding clause")
    for line in ticked(_outcomes(terminalreporter)):
        terminalreporter.write_line(line)


def _outcomes(reporter: Any) -> Iterator[tuple[str, bool]]:
    """A sentence and whether it held, once for each phase of each of its tests."""
    for kind, reports in reporter.stats.items():
        for report in reports if kind else ():
            for name, sentence in getattr(report, "user_properties", ()):
                if name == "clause":
                    yield sentence, kind == "passed"


def ticked(outcomes: Iterator[tuple[str, bool]]) -> list[str]:
    """The clause with a tick before each sentence that has tests, all of which passed; a cross before the others."""
    held: dict[str, bool] = {}
    for sentence, passed in outcomes:
        held[sentence] = held.get(sentence, True) and passed
    return [f"{'✓' if held.get(sentence) else '✗'} {sentence}" for sentence in CLAUSE]


# The table


def tests_of(source: str) -> dict[str, list[str]]:
    """The names of the tests of each sentence, as they stand in the source."""
    found: dict[str, list[str]] = {sentence: [] for sentence in CLAUSE}
    constants: dict[str, str] = dict(zip(("ASK", "BLOCK", "PROVE", "VOLUNTARY", "REVOKE"), CLAUSE, strict=True))
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.clause":
                    found[constants[ast.unparse(mark.args[0])]].append(node.name)
    return found


def table() -> str:
    """The Markdown table: what the clause says, where the code keeps it, which tests show it."""
    tests = tests_of((HOME / TESTS).read_text("utf-8"))
    rows = ["| the clause says | kept by | shown by |", "| --- | --- | --- |"]
    for sentence, places in CLAUSE.items():
        kept = "<br>".join(f"[`{name}`]({file}) in {file.removeprefix('subscriptions/')}" for file, name in places)
        shown = "<br>".join(f"[{name.removeprefix('test_').replace('_', ' ')}]({TESTS})" for name in tests[sentence])
        rows.append(f"| {sentence} | {kept} | {shown} |")
    return "\n".join(rows)


def in_readme(text: str) -> str:
    """What stands between the markers."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    readme = HOME / "README.md"
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        sys.exit(f"README.md lacks {BEGIN} and {END}.")
    readme.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        print(table())
