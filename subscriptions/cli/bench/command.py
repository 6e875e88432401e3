"""The command, and its report."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import AppGroup

from subscriptions.cli.bench import floor, load, machine
from subscriptions.cli.bench.sink import Sink
from subscriptions.clock import Clock
from subscriptions.store.engine import engine_options, prepare_engine
from subscriptions.store.models import Counter, Registration

group = AppGroup("bench", help="How fast this machine takes sign-ups.")
WAIT_FOR_MAILS = 120.0  # seconds after the last sign-up


@dataclass
class Run:
    """What one run of the real thing measured."""

    load: load.Measured
    mails: int
    mails_in: float  # seconds from the first sign-up to the last mail
    server: float  # processor seconds
    sink: float
    database: float | None
    rss: float
    batch: float
    sample: bytes


@group.command("signup")
@click.option("--database", help="URL of an empty database; by default SQLite in a temporary folder.")
@click.option("--requests", "number", type=click.IntRange(1, 1_000_000), default=5000, show_default=True)
@click.option("--concurrency", type=click.IntRange(1, 512), default=32, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Server processes.")
@click.option("--relay-delay", type=click.IntRange(0, 10_000), default=0, help="Milliseconds of the relay for a mail.")
def signup(database: str | None, number: int, concurrency: int, workers: int, relay_delay: int) -> None:
    """Sign-ups per second over HTTP, mails delivered, beside the floor of this machine in the same run."""
    with tempfile.TemporaryDirectory() as folder:
        url = database or f"sqlite:///{folder}/bench.db"
        _refuse_used(url)
        with Sink(relay_delay / 1000) as sink, _server(folder, url, sink.port, workers) as (port, pid):
            _say(f"{number} sign-ups over {concurrency} connections …")
            run = _measure(url, number, concurrency, port, pid, sink)
        _say("the floor: an empty endpoint, the rows, the mails …")
        parts = _floor(folder, url, number, concurrency, run)
    _report(run, parts, number)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, **engine_options(url, 2))
    prepare_engine(engine)
    return engine


def _refuse_used(url: str) -> None:
    """Before a server starts on it, whose jobs would purge what is due there."""
    engine = _engine(url)
    try:
        tables = sa.inspect(engine).get_table_names()
    except sa.exc.DBAPIError as trouble:
        raise click.ClickException(f"The database does not answer: {type(trouble.orig).__name__}.") from trouble
    finally:
        engine.dispose()
    if tables:
        raise click.ClickException(f"The database holds {len(tables)} tables; the benchmark wants an empty one.")


@contextmanager
def _server(folder: str, url: str, sink_port: int, workers: int) -> Iterator[tuple[int, int]]:
    """The real server: limits on, mail on, no proof of work asked; behind one proxy that names each visitor."""
    port = _free_port()
    settings = {
        "DATABASE__URL": url,
        "SERVER__PORT": str(port), "SERVER__BASE_URL": f"http://127.0.0.1:{port}", "SERVER__DATA_DIR": folder,
        "SERVER__WORKERS": str(workers), "SERVER__TRUSTED_PROXIES": "1",
        "MAIL__TRANSPORT": "smtp", "MAIL__HOST": "127.0.0.1", "MAIL__PORT": str(sink_port),
        "ABUSE__PROOF_OF_WORK": "off",
        "ABUSE__HINTS": "false",  # the visitors' domains are made up: no name server need hear of them
    }  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SUBSCRIPTIONS_")}
    environ |= {f"SUBSCRIPTIONS_{name}": value for name, value in settings.items()}
    with _process([sys.executable, "app.py"], environ, port) as pid:
        yield port, pid


@contextmanager
def _process(command: list[str], environ: dict[str, str], port: int) -> Iterator[int]:
    process = subprocess.Popen(  # noqa: S603 – our own program
        command, env=environ, cwd=current_app.root_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise click.ClickException((process.stderr.read() if process.stderr else b"").decode())
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _measure(url: str, number: int, concurrency: int, port: int, pid: int, sink: Sink) -> Run:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").read()
    engine = _engine(url)
    postmaster = _postmaster(engine)
    before = [machine.seconds(pids) for pids in (machine.family(pid), [sink.pid], _database(postmaster))]
    measured = load.drive(port, number, concurrency)
    taken = measured.statuses.get(202, 0)
    give_up = Clock.ticks() + WAIT_FOR_MAILS
    while sink.count < taken and Clock.ticks() < give_up:
        time.sleep(0.05)
    after = [machine.seconds(pids) for pids in (machine.family(pid), [sink.pid], _database(postmaster))]
    used = [late - early for early, late in zip(before, after, strict=True)]
    with engine.connect() as connection:
        batches = connection.execute(sa.select(sa.func.sum(Counter.value)).where(Counter.name == "batches")).scalar()
    engine.dispose()
    return Run(
        measured, sink.count, sink.last - measured.began, used[0], used[1], used[2] if postmaster else None,
        machine.peak_rss(machine.family(pid)), taken / (batches or 1), sink.sample(),
    )  # fmt: skip


def _postmaster(engine: sa.Engine) -> int | None:
    """The process of PostgreSQL, when it runs here and may be looked at."""
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        backend = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    try:
        return machine.parent(backend)
    except OSError:
        return None


def _database(postmaster: int | None) -> list[int]:
    return machine.family(postmaster) if postmaster else []


def _floor(folder: str, url: str, number: int, concurrency: int, run: Run) -> tuple[float, float, float]:
    """Seconds for one sign-up of each part."""
    some = min(number, 3000)
    port = _free_port()
    command = [sys.executable, "-m", "subscriptions.cli.bench.floor"]
    with _process(command, os.environ | {"BENCH_PORT": str(port)}, port):
        empty = load.drive(port, some, concurrency)
    engine = _engine(url)
    with engine.connect() as connection:
        newest = connection.execute(sa.select(sa.func.max(Registration.id))).scalar_one()
    rows = floor.seconds_for_rows(engine, some, max(1, round(run.batch)))
    floor.forget(engine, newest)
    engine.dispose()
    with Sink() as sink:
        mails = floor.seconds_for_mails(sink.port, run.sample, some)
    return 1 / empty.rate, rows, mails


def _report(run: Run, parts: tuple[float, float, float], number: int) -> None:
    measured, taken = run.load, run.load.statuses.get(202, 0)
    floor_rate = 1 / sum(parts)
    per = [f"{1e3 * value / number:.2f}" for value in (run.server, run.sink)]
    database = "-" if run.database is None else f"{1e3 * run.database / number:.2f}"
    lines = [
        ("sign-ups per second", f"{measured.rate:.0f} (no proof of work asked)"),
        ("p50, p95, p99", ", ".join(f"{1e3 * measured.percentile(p):.1f}" for p in (0.5, 0.95, 0.99)) + " ms"),
        ("answers", ", ".join(f"{count} × {status}" for status, count in sorted(measured.statuses.items()))),
        ("mails delivered", f"{run.mails} of {taken}, the last {run.mails_in:.1f} s after the first sign-up"),
        ("sign-ups per second, mails in", f"{run.mails / run.mails_in:.0f}" if run.mails_in > 0 else "-"),
        ("processor time per sign-up", f"server {per[0]}, database {database}, sink {per[1]} ms"),
        ("sign-ups in a commit", f"{run.batch:.1f}"),
        ("peak memory of the server", f"{run.rss:.0f} MiB"),
        ("floor", f"{floor_rate:.0f} a second: an empty endpoint {1e6 * parts[0]:.0f} µs, "
                  f"the rows {1e6 * parts[1]:.0f} µs, the mail {1e6 * parts[2]:.0f} µs"),
        ("of the floor", f"{min(measured.rate, run.mails / run.mails_in if run.mails_in > 0 else 0) / floor_rate:.2f}"),
    ]  # fmt: skip
    for name, value in lines:
        click.echo(f"{name:32}{value}")


COMMANDS = [group]
