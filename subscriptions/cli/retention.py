"""Commands for what is kept how long."""

import click

from subscriptions.cli import as_json, print_rows, ready
from subscriptions.cli.menu import Group
from subscriptions.domain import retention
from subscriptions.domain.texts import filled
from subscriptions.languages import SOURCE, durations
from subscriptions.parts import current_parts
from subscriptions.store import jobs
from subscriptions.store import retention as rows
from subscriptions.store.engine import reading

_SHORT = "class", "period", "basis", "job", "last_run", "last_deletion", "due"

group = Group("retention", help="What is stored, why, how long, and what is deleted next.")


@group.command("show")
@click.option("--dry-run", is_flag=True, help="Only how much would be deleted now, and in the next 30 days.")
@as_json
@ready
def show(*, dry_run: bool, as_json: bool) -> None:
    """Show each class of data with its purpose, legal basis, period, the job that ends it and what is due now.

    With --dry-run: how much would be deleted now and within 30 days, by class. Nothing is deleted by this command.
    """
    parts = current_parts()
    now, real_now, policy = parts.clock.now(), parts.clock.real_now(), parts.policy
    with reading() as session:
        due = rows.counts(session, now, real_now, policy)
        soon = rows.counts(session, now + rows.SOON, real_now + rows.SOON, policy)
        deleted = rows.last_deleted(session)
        ran = {job.name: job.ended_at for job in jobs.all_of(session)}
    told = durations(policy, SOURCE)
    lines = [{"class": row.name, "what": row.what, "data": row.named, "purpose": row.purpose, "basis": row.basis,
              "period": filled(row.period, told), "job": row.job, "last_run": ran.get(row.job or ""),
              "last_deletion": deleted.get(row.name),
              "due": due.get(row.name), "due_soon": soon.get(row.name)} for row in retention.ROWS]  # fmt: skip
    columns = {"class": ("class", ""), "what": ("what", ""), "data": ("data", ""), "purpose": ("what for", ""),
               "basis": ("GDPR", ""), "period": ("how long", ""), "job": ("job", "-"),
               "last_run": ("last run", "-"), "last_deletion": ("last deletion", "-"), "due": ("due now", "-"),
               "due_soon": ("within 30 days", "-")}  # fmt: skip
    short = ("class", "due", "due_soon") if dry_run else _SHORT
    shown = columns if as_json and not dry_run else {name: columns[name] for name in short}
    print_rows([line for line in lines if not dry_run or line["due"] is not None], shown, as_json=as_json)
