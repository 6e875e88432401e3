"""Owed confirmation mails while nobody signs up: how fast they leave, and what each part of a mail costs."""

import json
import subprocess
import time
from pathlib import Path

import click

from bench import rows
from bench.load import PATIENCE
from bench.machine import Watch, postmaster
from bench.place import Place, connect
from bench.rounds import Figures, say
from bench.server import served, settings
from bench.signup import of_machine
from bench.sink import Sink
from subscriptions.clock import Clock

INSIDE = Path(__file__).with_name("inside.py")


def measure(place: Place, number: int) -> Figures:
    """One run of that version: the server on a full outbox; then the sender alone, its parts timed."""
    rows.make_schema(place)
    figures = _by_server(place, number)
    parts = _by_parts(place, number)
    return figures | {f"part_{name}": value for name, value in parts.items()}


def _by_server(place: Place, number: int) -> Figures:
    """From the first mail on: what a start costs is no mail's."""
    say(f"{place.version.name}: {number} mails by its server …")
    rows.add_owed(place, number)
    engine = connect(place.url)
    with Sink(place.common.relay_delay / 1000) as sink, served(place, sink.port) as server:
        _wait_for_first(sink)
        before = sink.count
        with Watch(server.pid, database=postmaster(engine), sink=sink.pid) as watch:
            sink.wait_for(number)
        engine.dispose()
        took, sent = sink.last - float(sink.seen.first), sink.count - before
        each = {name: _per(watch.used(name), sent) for name in ("server", "database", "sink")}
        busy = sink.lines_busy() if place.common.relay_delay else (None, None)
        both = [value for value in (each["server"], each["database"]) if value is not None]
        return {
            "mails": sink.count, "mails_rate": (sink.count - 1) / took if took else 0.0, **each,
            "processor": sum(both) if both else None, **of_machine(watch),
            "busy_most": busy[0], "busy_mean": busy[1],
        }  # fmt: skip


def _wait_for_first(sink: Sink) -> None:
    give_up = Clock.ticks() + PATIENCE
    while not sink.count and Clock.ticks() < give_up:
        time.sleep(0.002)


def _per(seconds: float | None, sent: int) -> float | None:
    """Milliseconds for each mail."""
    return None if seconds is None or sent <= 0 else 1e3 * seconds / sent


def _by_parts(place: Place, number: int) -> Figures:
    """By the command that sends all that is due, in a process that times the parts as it calls them."""
    say(f"{place.version.name}: {number} mails by its sender alone …")
    rows.add_owed(place, number, first=number + 1)
    with Sink(place.common.relay_delay / 1000) as sink:
        environ = place.version.environ(settings(place, sink.port)) | {"PYTHONPATH": str(place.version.folder)}
        command = [place.version.python, "-P", str(INSIDE), "jobs", "run", "deliver"]
        done = subprocess.run(  # noqa: S603 – our own program
            command, env=environ, cwd=place.version.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise click.ClickException(f"{place.version.name} does not send:\n{done.stderr.strip()}")
        spent: dict[str, float | None] = json.loads(done.stdout.splitlines()[-1])
        return {name: _per(seconds, sink.count) for name, seconds in spent.items()}
