"""Commands for the scheduled jobs."""

import threading

import click

from subscriptions import clock as clocks
from subscriptions.cli import BUSY, acts, as_json, print_rows, ready
from subscriptions.cli.menu import Group
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import JOBS, NAMED, Run
from subscriptions.jobs.schedule import next_time
from subscriptions.parts import current_parts
from subscriptions.store import audit, retention
from subscriptions.store import jobs as rows
from subscriptions.store.engine import Contention, Unavailable, reading, transaction

group = Group("jobs", help="Run a scheduled job now, or see when each one ran.")

WAIT_AT_MOST = 300  # seconds, for a run in progress


@group.command("run")
@click.argument("name", type=click.Choice([job.name for job in JOBS if job.by_hand]))
@click.option("--confirm", is_flag=True, help="Run it even if the clock is over 400 days past its last run.")
@acts.yes
@ready
def run(name: str, confirm: bool, yes: bool) -> None:
    """Run a scheduled job now, and print how many it blocked, purged or sent."""
    if confirm and NAMED[name].deletes and not yes:
        acts.ask(_what_goes())
    try:
        click.echo(_deliver() if name == "deliver" else _waiting_for_others(name, confirm))
    except lease.ClockJumped as error:
        raise click.ClickException(str(error)) from None
    except (Unavailable, Contention):
        raise click.ClickException(f"{BUSY}. What was done so far stays done; another run does the rest.") from None


def _deliver() -> int:
    parts, job = current_parts(), NAMED["deliver"]
    now = parts.clock.now()
    count = job.work(Run(parts, now, asked=True))
    with transaction() as session:
        rows.note(session, job.name, now, count)
        audit.write(session, acts.act(job=job.name).of(count))
    parts.sender.stop()
    return count


def _what_goes() -> str:
    parts = current_parts()
    now, real_now = parts.clock.now(), parts.clock.real_now()
    with reading() as session:
        due = retention.counts(session, now, real_now, parts.policy)
        signed_up, proofs = due["unconfirmed"], due["proof"]
        last = rows.find(session, "purge")
    ran = f"the job last ran at {clocks.text(last.ended_at)}" if last and last.ended_at else "the job has never run"
    return (
        f"The clock says {clocks.text(now)} ({ran}). This deletes for good: {signed_up} sign-up"
        f"{'s' * (signed_up != 1)} whose month is over, {proofs} ended subscription{'s' * (proofs != 1)} whose proof "
        "period is over."
    )


def _waiting_for_others(name: str, confirm: bool) -> int | None:
    pause = threading.Event()
    for _ in range(WAIT_AT_MOST * 2):
        try:
            return lease.run(NAMED[name], current_parts(), asked=True, confirmed=confirm, act=acts.act(job=name))
        except lease.Running:
            pause.wait(0.5)
    raise click.ClickException(
        f"{name} is running elsewhere and did not end in {WAIT_AT_MOST} seconds: try again later."
    )


@group.command("show")
@as_json
@ready
def show(*, as_json: bool) -> None:
    """Show when each job last ran and what it did, when it runs next, and when it counts as late."""
    now = current_parts().clock.now()
    with reading() as session:
        found = {job.name: job for job in rows.all_of(session)}
    lines: list[dict[str, object]] = []
    for job in JOBS:
        row = found[job.name]
        late = row.ended_at + job.late_after if row.ended_at else None
        error = f"paused: {row.error}" if row.pause_until else row.error
        lines.append({"job": job.name, "every": str(job.every), "ended_at": row.ended_at, "count": row.count,
                      "next_at": next_time(job, now), "late_at": late, "error": error})  # fmt: skip
    columns = {"job": ("job", ""), "every": ("every", ""), "ended_at": ("last successful run", "never"),
               "count": ("count", ""), "next_at": ("next", ""), "late_at": ("late after", "-"),
               "error": ("error", "-")}  # fmt: skip
    print_rows(lines, columns, as_json=as_json)
