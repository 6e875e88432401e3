"""Commands for the texts of privacy policies."""

import zlib
from collections.abc import Iterator, Sequence

import click

from subscriptions.actions import policies as doing
from subscriptions.actions.policies import RESTLESS
from subscriptions.cli import as_json, print_rows, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.page_versions import Step
from subscriptions.parts import current_parts
from subscriptions.store import policies
from subscriptions.store.engine import reading
from subscriptions.store.models import List, Policy

group = Group("policy", help="See which privacy policy held when, and look at its page now.")
_COLUMNS = {"list": ("list", ""), "id": ("id", ""), "language": ("language", ""), "since": ("since", ""),
            "last_seen_at": ("last seen", ""), "in_use": ("in use", "-"), "subscribers": ("subscribers", ""),
            "url": ("address", "")}  # fmt: skip
_SAYS = {
    Step.SAME: "nothing has changed", Step.NEW: "a new version is kept", Step.RESTLESS: RESTLESS,
    Step.WAITS: "it has changed twice within a day; the text of tomorrow will be the next version",
}  # fmt: skip


@group.command("show")
@click.argument("slug", metavar="[LIST]", required=False)
@click.option("--text", "text_of", metavar="ID", help="Print what people could read in this version.")
@click.option("--page", "page_of", metavar="ID", help="Print this page or file as it came, byte for byte.")
@as_json
@ready
def show(slug: str | None, text_of: str | None, page_of: str | None, *, as_json: bool) -> None:
    """Show the versions of a list's privacy policy, or one of them."""
    catalogue = current_parts().catalogue
    rows = [the_list(slug)] if slug else [*catalogue.lists.values()]
    if id_ := text_of or page_of:
        found = _version(rows, id_)
        click.echo(found.text if text_of else zlib.decompress(found.raw), nl=bool(text_of))
        return
    print_rows([line for row in rows for line in _lines(row)], _COLUMNS, as_json=as_json)
    for one in doing.wrong(catalogue, rows):
        click.echo("{url} ({tag}) {problem} (since {time}).".format(**one), err=True)


def _lines(row: List) -> Iterator[dict[str, object]]:
    heads = [one for one in current_parts().catalogue.policies.values() if one.list_id == row.id]
    with reading() as session:
        people = policies.people(session, row, heads)
    current = {said.policy_id for said in (row, *row.told.values())}
    for one in heads:
        yield {"list": row.slug, "id": one.id, "language": one.language, "since": one.valid_from,
               "last_seen_at": one.last_seen_at, "in_use": one.id in current, "subscribers": people.get(one.id, 0),
               "url": one.url}  # fmt: skip


def _version(rows: Sequence[List], id_: str) -> Policy:
    with reading() as session:
        found = policies.find(session, id_)
        if found is None or found.list_id not in {row.id for row in rows}:
            raise click.ClickException(f'There is no such version of a policy: "{id_}".')
        session.expunge(found)
    return found


@group.command("fetch")
@click.argument("slug", metavar="[LIST]", required=False)
@ready
def fetch(slug: str | None) -> None:
    """Look at the page or file of each policy now, and keep its text if it has changed."""
    parts = current_parts()
    rows = [the_list(slug)] if slug else parts.catalogue.configured
    came = [(one, doing.look(one, parts.read_page, parts.clock.now())) for one in doing.sources(rows)]
    for one, step in came:
        click.echo(f"{one.list.slug}, {one.language}: {one.url} {step}." if isinstance(step, str)
                   else f"{one.list.slug}, {one.language}: {_SAYS[step]}.")  # fmt: skip
    if not came:
        click.echo("There is nothing to look at: no policy_url or policy_file, or only addresses such as example.org.")
    if any(isinstance(step, str) for _, step in came):
        raise click.ClickException("Not every policy could be read. What was kept before still applies.")
