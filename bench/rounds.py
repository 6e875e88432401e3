"""Rounds: the versions in turn, so that what else the machine does hits both; medians, ratios and the report."""

import json
import signal
import sys
from collections.abc import Callable
from statistics import median
from typing import Any

import click

from bench import versions
from bench.commands import Common
from bench.place import Place, places

Figures = dict[str, float | None]

LABELS = {
    "answered": ("sign-ups answered a second", 0),
    "delivered": ("sign-ups a second, mails in", 0),
    "rows": ("rows a second", 0),
    "exported": ("rows exported", 0),
    "mails_rate": ("mails a second", 0),
    "taken": ("sign-ups taken", 0),
    "refused": ("sign-ups not taken", 0),
    "p50": ("p50, ms", 1),
    "p95": ("p95, ms", 1),
    "p99": ("p99, ms", 1),
    "alone_p50": ("p50 without the export, ms", 1),
    "alone_p99": ("p99 without the export, ms", 1),
    "times_p50": ("p50 beside it, times as long", 2),
    "times_p99": ("p99 beside it, times as long", 2),
    "mails": ("mails delivered", 0),
    "last_mail": ("last mail, s after the first sign-up", 1),
    "busy_most": ("lines busy, at most", 0),
    "busy_mean": ("lines busy, on average", 1),
    "processor": ("processor of server and database, ms a {each}", 3),
    "server": ("  server", 3),
    "database": ("  database", 3),
    "load": ("processor of the load, ms a {each}", 3),
    "sink": ("processor of the sink, ms a {each}", 3),
    "part_take": ("of the sender alone: take, ms a {each}", 3),
    "part_compile": ("  compile (once)", 3),
    "part_compose": ("  compose", 3),
    "part_line": ("  line", 3),
    "part_settle": ("  settle", 3),
    "part_rest": ("  the rest", 3),
    "others": ("somebody else's part of the machine, %", 0),
    "batch": ("sign-ups in a commit", 1),
    "rss": ("peak memory of the server, MiB", 0),
    "pss": ("  shared pages shared (PSS)", 0),
    "floor": ("floor, a second", 0),
    "floor_empty": ("  an empty endpoint, µs", 0),
    "floor_rows": ("  the rows, µs", 0),
    "floor_mail": ("  the mail, µs", 0),
    "of_floor": ("of the floor", 2),
}


def run(common: Common, each: str, measure: Callable[[Place], Figures]) -> None:
    """Measure and print; processor time is told for `each`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders go with it
    both = [versions.this(), *([versions.other(common.against)] if common.against else [])]
    found: list[list[Figures]] = []
    with places(common) as place:
        for _ in range(common.rounds or (3 if common.against else 1)):
            found.append([])
            for version in both:
                with place(version) as here:
                    measured = measure(here)
                    found[-1].append({key: value and round(value, 4) for key, value in measured.items()})
    click.echo(_as_json(both, found) if common.as_json else "\n".join(_as_text(both, found, each)))


def say(text: str) -> None:
    click.echo(text, err=True)


def _as_text(both: list[versions.Version], found: list[list[Figures]], each: str) -> list[str]:
    alone = len(both) == 1
    lines = [] if alone and len(found) == 1 else [_line("", [one.name for one in both], "" if alone else "ratio", "")]
    for name, (label, digits) in LABELS.items():
        values = [_median([one[at].get(name) for one in found]) for at in range(len(both))]
        if all(value is None for value in values):
            continue
        rounds = ["/".join(_number(one.get(name), digits) for one in round_) for round_ in found]
        times = "" if alone else _number(_median([_ratio(round_, name) for round_ in found]), 2)
        shown = [_number(value, digits) for value in values]
        lines.append(_line(label.format(each=each), shown, times, "  ".join(rounds) if len(found) > 1 else ""))
    return lines


def _line(label: str, values: list[str], ratio: str, each: str) -> str:
    cells = [f"{label:52}", *(f"{value:>9}" for value in values), *([f"{ratio:>7}"] if ratio else [])]
    return ("".join(cells) + (f"   {each}" if each else "")).rstrip()


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _as_json(both: list[versions.Version], found: list[list[Figures]]) -> str:
    names = [one.name for one in both]
    rounds = [dict(zip(names, round_, strict=True)) for round_ in found]
    told: dict[str, Any] = {"rounds": rounds, "median": {}}
    keys = [name for name in LABELS if any(name in figures for round_ in found for figures in round_)]
    for at, name in enumerate(names):
        told["median"][name] = {key: _median([round_[at].get(key) for round_ in found]) for key in keys}
    if len(both) == 2:
        for told_, round_ in zip(rounds, found, strict=True):
            told_["ratio"] = {key: _ratio(round_, key) for key in keys}
        told["median"]["ratio"] = {key: _median([_ratio(round_, key) for round_ in found]) for key in keys}
    return json.dumps(told, indent=2, allow_nan=False)


def _ratio(round_: list[Figures], name: str) -> float | None:
    """This version's figure by the other's."""
    mine, theirs = (figures.get(name) for figures in round_)
    return mine / theirs if mine is not None and theirs else None


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
