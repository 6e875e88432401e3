"""How many mistakes in the rules the tests would notice: `make mutants`, or `python -m tests.mutants domain/budget`.

mutmut writes the mistakes, each a function with one thing changed, into a copy of the program. Its own runner starts
pytest anew for each, which takes hours; here pytest collects the tests once and learns which of them reach which
function, and for each mistake a fork of that process runs those, the quickest first, until one fails.

Not broken are tables at module level, functions with a decorator, and what an import calls: their tests alone hold
those. So a test that shall notice much makes its objects itself, not while its module is imported.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from difflib import unified_diff
from functools import lru_cache, partial
from pathlib import Path
from typing import NoReturn

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
LEAST = 85  # percent of a room's mutants that its tests must notice
# Each room with its tests: in one process, on SQLite. Those of all the program would notice more, and take hours.
ROOMS = {
    "domain": "address breaker codes evidence guarding lifecycle mail_kinds mailable policy policy_budget sites typos "
    "voluntary_fields webmail",
    "links": "codes handles links links_forms links_known links_purposes links_sessions proof_of_work",
    "web/intake": "check_inbox doors enter_code hints mailable one_more_step one_more_step_keeps proof_of_work "
    "forms_read refusals several_lists sign_up_form sign_up_json under_attack voluntary_fields vouching",
}
CHOSEN = ("-m", "not slow and not drill and not browser and not postgres", "-k", "not postgresql")
PATIENCE = 10  # times as long as the tests took, and as many seconds: then a mutant hangs, and was noticed


@dataclass(frozen=True)
class Mutant:
    """One mistake: `name` as mutmut calls it, `function` where it is."""

    room: str
    name: str
    function: str
    difference: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="rooms or modules, such as domain/budget")
    parser.add_argument("--every", type=int, default=1, help="each so many-th alone, for an estimate")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at the same time")
    asked = parser.parse_args()
    began = time.monotonic()
    wanted = tuple(f"subscriptions/{only}".replace("/", ".") for only in asked.only or ROOMS)
    mutants = [mutant for mutant in _write() if mutant.name.startswith(wanted)][:: asked.every]
    runs = [_run(number, mutants[number :: asked.jobs]) for number in range(asked.jobs)]
    if any(run.wait() for run in runs):
        return 1
    found = [json.loads((COPY / f"found-{number}").read_text()) for number in range(asked.jobs)]
    noticed = {name for share in found for name, test in share.items() if test}
    scores = []
    for room in dict.fromkeys(mutant.room for mutant in mutants):
        names = {mutant.name for mutant in mutants if mutant.room == room}
        scores.append(100 * len(names & noticed) / len(names))
        print(f"{room}: {len(names & noticed)} of {len(names)} mistakes noticed, {scores[-1]:.1f} %")
    print(f"{(time.monotonic() - began) / 60:.0f} minutes")
    return int(min(scores) < LEAST)


def _run(number: int, mutants: Sequence[Mutant]) -> "subprocess.Popen[bytes]":
    """A share of the mutants, in a process of its own."""
    (COPY / f"mutants-{number}").write_text(json.dumps([asdict(mutant) for mutant in mutants]))
    names = sorted({name for mutant in mutants for name in ROOMS[mutant.room].split()})
    pytest = [sys.executable, "-m", "pytest", "-p", "tests.mutants", "-p", "no:cacheprovider"]
    command = [*pytest, "-q", "-s", *CHOSEN, *(f"tests/test_{name}.py" for name in names)]
    return subprocess.Popen(command, cwd=COPY, env=os.environ | {"MUTANTS": str(number)})


def _write() -> Iterator[Mutant]:
    """A copy of the program, with the mutants in it."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT, COPY, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "var", "config.toml"))
    for room in ROOMS:
        for path in sorted((COPY / "subscriptions" / room).glob("*.py")):
            name = path.relative_to(COPY).as_posix()
            file = mutate_file_contents(name, path.read_text("utf-8"))
            path.write_text(file.code, "utf-8")
            module = name.removesuffix(".py").replace("/", ".")
            for mutant in file.mutant_names:
                function = mutant.rpartition("__mutmut_")[0]
                yield Mutant(room, f"{module}.{mutant}", f"{module}.{function}", _difference(file, mutant))


def _difference(file: MutatedFile, mutant: str) -> str:
    original = f"{mutant.rpartition('__mutmut_')[0]}__mutmut_orig"
    spans, lines = file.line_span_by_function_name, file.code.splitlines()
    before, after = (
        [line.replace(name, original) for line in lines[spans[name].start - 1 : spans[name].end]]
        for name in (original, mutant)
    )
    return "\n".join(list(unified_diff(before, after, n=1, lineterm=""))[2:])


# In the copy: a plugin of pytest

CACHED = type(lru_cache(int))


def pytest_configure(config: pytest.Config) -> None:
    import hypothesis  # not before pytest has looked at it

    without_shrinking = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    house = hypothesis.settings.get_profile("house")
    hypothesis.settings.register_profile("mutants", house, phases=without_shrinking)
    hypothesis.settings.load_profile("mutants")
    rows = json.loads(Path(f"mutants-{os.environ['MUTANTS']}").read_text())
    config.pluginmanager.register(Run([Mutant(**row) for row in rows]))


@dataclass
class Run:
    """In place of pytest's loop over the tests. `found`: of each mutant the test that noticed it, or nothing."""

    mutants: Sequence[Mutant]
    reached_by: dict[str, list[pytest.Item]] = field(default_factory=partial(defaultdict, list))
    took: dict[pytest.Item, float] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._learn(session)
        tests = {mutant: self._tests_of(mutant) for mutant in self.mutants}
        for number, mutant in enumerate(sorted(self.mutants, key=lambda mutant: self._seconds(tests[mutant]))):
            if number % 100 == 0:
                print(f"{number} of {len(self.mutants)}", flush=True)
            self.found[mutant.name] = self._noticed_by(mutant.name, tests[mutant])
            if not self.found[mutant.name]:
                print(f"\n{mutant.name}, {len(tests[mutant])} tests\n{mutant.difference}", flush=True)
        believed = [item for item in session.items if item.nodeid in set(self.found.values())]
        if liar := self._noticed_by("nothing", believed):
            pytest.exit(f"{liar} fails in a fork where nothing is broken, and so seems to notice everything", 1)
        Path(f"found-{os.environ['MUTANTS']}").write_text(json.dumps(self.found, indent=1))
        return True

    def _learn(self, session: pytest.Session) -> None:
        """Which tests reach which function, and how long each takes."""
        set_mutant_under_test("stats")
        for item, following in _with_following(session.items):
            _forget()
            state()._stats.clear()
            began = time.monotonic()
            if _fails(item, following):
                pytest.exit(f"{item.nodeid} fails, and nothing is broken", 1)
            self.took[item] = time.monotonic() - began
            for function in state()._stats:
                self.reached_by[function].append(item)

    def _tests_of(self, mutant: Mutant) -> list[pytest.Item]:
        """The quickest first."""
        files = {f"test_{name}.py" for name in ROOMS[mutant.room].split()}
        tests = [item for item in self.reached_by[mutant.function] if item.path.name in files]
        return sorted(tests, key=lambda item: self.took[item])

    def _seconds(self, items: Sequence[pytest.Item]) -> float:
        return sum(self.took[item] for item in items)

    def _noticed_by(self, mutant: str, items: Sequence[pytest.Item]) -> str:
        """The first test that fails; in a fork, since a mutant may hang and leave anything behind."""
        if not items:
            return ""
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            signal.alarm(int(PATIENCE * (1 + self._seconds(items))))
            _try(mutant, items, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            test = pipe.read()
        return test if os.waitpid(process, 0)[1] == 0 else "a hang or a fall"


def _try(mutant: str, items: Sequence[pytest.Item], writing: int) -> NoReturn:
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        _forget()
        set_mutant_under_test(mutant)
        items[0].session._setupstate.teardown_exact(items[0])
        test = next((item.nodeid for item, following in _with_following(items) if _fails(item, following)), "")
        os.write(writing, test.encode())
        code = 0
    finally:
        os._exit(code)


def _with_following(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    """The first follows the last, so that what is made once for all tests is there for the next fork."""
    return zip(items, [*items[1:], items[0]], strict=True)


def _fails(item: pytest.Item, following: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _forget() -> None:
    """What the rooms keep in mind, or the broken function might never be called."""
    rooms = tuple(f"subscriptions.{room}.".replace("/", ".") for room in ROOMS)
    for module in [module for name, module in sys.modules.items() if name.startswith(rooms)]:
        for value in vars(module).values():
            if type(value) is CACHED:
                value.cache_clear()


if __name__ == "__main__":
    sys.exit(main())
