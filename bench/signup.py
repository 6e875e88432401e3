"""Sign-ups over HTTP until every mail is in, and the floor of the same machine."""

import os
import sys
from dataclasses import dataclass

import sqlalchemy as sa

from bench import floor
from bench.load import Load, Measured, drive
from bench.machine import Watch, postmaster
from bench.place import Place, connect
from bench.rounds import Figures, say
from bench.server import Server, free_port, process, served
from bench.sink import Sink
from bench.versions import HOME
from bench.visitors import SLUG, Visitors, hidden_fields


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for."""

    number: int
    concurrency: int
    rate: int | None
    form: int
    floor: bool


def measure(place: Place, asked: Asked) -> Figures:
    """One run of that version on that database."""
    how = f"{asked.rate} a second" if asked.rate else f"over {asked.concurrency} connections"
    say(f"{place.version.name}: {asked.number} sign-ups {how} …")
    with Sink(place.common.relay_delay / 1000) as sink:
        with served(place, sink.port) as server:
            figures = _drive(place, asked, server, sink)
        return figures | (_floor(place, asked, figures, sink.sample()) if asked.floor else {})


def visitors(server: Server, number: int, form: int, first: int = 0) -> Visitors:
    hidden = hidden_fields(server.get(f"/subscribe/{SLUG}")) if form else ()
    return Visitors(number, form, first, hidden)


def _drive(place: Place, asked: Asked, server: Server, sink: Sink) -> Figures:
    engine = connect(place.url)
    load = Load(server.port, visitors(server, asked.number, asked.form), asked.concurrency, asked.rate)
    with Watch(server.pid, database=postmaster(engine), sink=sink.pid) as watch:
        measured = load.go().result()
        sink.wait_for(measured.taken)
    figures = of_load(measured) | _of_mails(measured, sink) | _of_processes(watch, measured)
    figures["busy_most"], figures["busy_mean"] = sink.lines_busy() if place.common.relay_delay else (None, None)
    figures["batch"] = _batch(engine, measured.taken)
    engine.dispose()
    return figures


def of_load(measured: Measured) -> Figures:
    return {
        "answered": measured.rate,
        "taken": measured.taken,
        "refused": sum(measured.statuses.values()) - measured.taken,
        **{f"p{round(100 * share)}": 1e3 * measured.percentile(share) for share in (0.5, 0.95, 0.99)},
    }


def _of_mails(measured: Measured, sink: Sink) -> Figures:
    seconds = sink.last - measured.began
    return {"mails": sink.count, "last_mail": seconds, "delivered": sink.count / seconds if sink.count else 0.0}


def _of_processes(watch: Watch, measured: Measured) -> Figures:
    each = {name: _per(watch.used(name), measured) for name in ("server", "database", "sink")}
    each["load"] = _per(measured.processor, measured)
    both = [value for value in (each["server"], each["database"]) if value is not None]
    return {**each, "processor": sum(both) if both else None, **of_machine(watch)}


def of_machine(watch: Watch) -> Figures:
    return {"rss": watch.rss, "pss": watch.pss, "others": watch.others}


def _per(seconds: float | None, measured: Measured) -> float | None:
    """Milliseconds for each sign-up that was taken."""
    return None if seconds is None or not measured.taken else 1e3 * seconds / measured.taken


def _batch(engine: sa.Engine, taken: int) -> float:
    """Sign-ups in a commit, on average."""
    with engine.connect() as connection:
        batches = connection.execute(sa.text("SELECT sum(value) FROM counters WHERE name = 'batches'")).scalar()
    return taken / int(batches or 1)


def _floor(place: Place, asked: Asked, figures: Figures, mail: bytes) -> Figures:
    """Each part by hand, one after the other, in microseconds for a sign-up."""
    say("the floor: an empty endpoint, the rows, the mails …")
    some, port = min(asked.number, 3000), free_port()
    environ = os.environ | {"BENCH_PORT": str(port)}
    with process([sys.executable, "-m", "bench.floor"], environ, HOME, place.folder, port):
        empty = drive(port, Visitors(some), asked.concurrency)
    engine = connect(place.url)
    rows = floor.seconds_for_rows(engine, some, max(1, round(figures["batch"] or 1)))
    engine.dispose()
    with Sink() as sink:
        mails = floor.seconds_for_mails(sink.port, mail, some)
    parts = (1 / empty.rate, rows, mails)
    slower = min(figures["answered"] or 0, figures["delivered"] or 0)
    names = ("floor_empty", "floor_rows", "floor_mail")
    each: Figures = {name: 1e6 * seconds for name, seconds in zip(names, parts, strict=True)}
    return {"floor": 1 / sum(parts), **each, "of_floor": slower * sum(parts)}
