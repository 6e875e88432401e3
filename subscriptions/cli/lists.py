"""Commands that make and change the lists of the desk."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from subscriptions.actions import lists as doing
from subscriptions.cli import acts, admin, print_rows, ready, the_list
from subscriptions.mail import phrases
from subscriptions.parts import current_parts
from subscriptions.settings import ListSettings
from subscriptions.settings.tables import Said, as_table, read_list
from subscriptions.store import lists as rows
from subscriptions.store import subscriptions
from subscriptions.store.audit import Act
from subscriptions.store.engine import reading
from subscriptions.store.lists import told
from subscriptions.store.models import List

group = admin.lists
_SET = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True,
    help="What [[lists]] of the configuration can say, such as controller=… or texts.de.name=…",
)  # fmt: skip

_WORDINGS = {
    "id": ("id", ""), "since": ("since", ""), "language": ("language", ""), "in_use": ("in use", "-"),
    "subscribers": ("subscribers", ""), "text": ("text", ""),
}  # fmt: skip


@group.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="What people read.")
@click.option("--locale", default="en", show_default=True, help="The language of its texts.")
@_SET
@ready
def create(slug: str, name: str, locale: str, settings: Sequence[str]) -> None:
    """Make a list, which the desk and these commands can change. It is a draft until its legal notice is complete."""
    said = _read({"slug": slug, "name": name, "locale": locale}, settings)
    if not any(one.startswith("wording=") for one in settings):
        said = replace(said, wording=phrases.wording(_language(said), said.name, said.controller, "", ""))
    act = acts.act(list=slug)
    doing.create(asdict(said), current_parts().clock.now(), act)
    current_parts().follow()
    _say_what_it_lacks(the_list(slug))


@group.command("edit")
@click.argument("slug")
@_SET
@ready
def edit(slug: str, settings: Sequence[str]) -> None:
    """Change a list that is not set in the configuration."""
    if not settings:
        raise click.UsageError("Say what to change: --set KEY=VALUE.")
    _change(the_list(slug), settings)


@group.command("wording")
@click.argument("slug")
@click.option("--text", help="The new text, word for word.")
@click.option("--compose", is_flag=True, help="Write it from the list's name and controller, and from these two:")
@click.option("--often", default="", metavar="TEXT", help='How often you write, such as "once a month".')
@click.option("--about", default="", metavar="TEXT", help='About what, such as "our concerts".')
@click.option("--language", "tag", metavar="CODE", help="In this language; else in the list's own.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@ready
def wording(slug: str, text: str | None, compose: bool, often: str, about: str, tag: str | None, as_json: bool) -> None:
    """Show the texts that people have agreed to, or change the one in use with --text or --compose."""
    row, known = the_list(slug), current_parts().languages.known
    if tag and known(tag) == known(row.locale):
        tag = None
    if text is not None and compose:
        raise click.UsageError("--text and --compose exclude each other.")
    if compose:
        said, language = row.said_in(tag or ""), current_parts().languages.best(tag, (), row.locale)
        text = phrases.wording(language, said.name, said.controller, often, about)
    if text is not None:
        _change(row, [f"texts.{tag}.wording={text}" if tag else f"wording={text}"])
        return
    _show_wordings(row, as_json=as_json)


@group.command("archive")
@click.argument("slug")
@ready
def archive(slug: str) -> None:
    """Put a list in the archive: it takes no sign-ups, and its subscribers and proofs stay."""
    _keep(doing.archive, slug, "takes no sign-ups any more")


@group.command("restore")
@click.argument("slug")
@ready
def restore(slug: str) -> None:
    """Take a list out of the archive."""
    _keep(doing.restore, slug, "takes sign-ups again")


@group.command("take-over")
@click.argument("slug")
@ready
def take_over(slug: str) -> None:
    """Keep a list of the configuration here from now on: the desk and these commands can change it."""
    _keep(doing.take_over, slug, "is kept here, and its [[lists]] in the configuration is no longer used")


def _keep(do: Callable[[str, Act], None], slug: str, became: str) -> None:
    do(the_list(slug).slug, acts.act(list=slug))
    current_parts().follow()
    click.echo(f"{slug} {became}.")


def _change(row: List, settings: Sequence[str]) -> None:
    parts = current_parts()
    before = told(row, parts.catalogue.wordings)
    said = _reworded(before, _read(as_table(before), settings))
    act = acts.act(list=row.slug)
    changed = doing.change(asdict(said), parts.clock.now(), act)
    parts.follow()
    click.echo(f"{row.slug} has been changed." if changed else f"{row.slug} says so already: nothing was changed.")
    _say_what_it_lacks(the_list(row.slug))


def _reworded(before: ListSettings, said: ListSettings) -> ListSettings:
    """With the usual wording for its name and controller, where it had the usual one."""
    wording = phrases.reworded(_language(said), before, said.name, said.controller, said.wording)
    return replace(said, wording=wording)


def _language(said: ListSettings) -> str:
    return current_parts().languages.best(None, (), said.locale)


def _read(raw: dict[str, Any], settings: Sequence[str]) -> ListSettings:
    """The list with these settings; everything that is wrong with them is said at once."""
    for one in settings:
        path, equals, value = one.partition("=")
        *above, last = path.strip().split(".")
        if not equals or above[:1] not in ([], ["texts"]) or len(above) not in (0, 2) or path.strip() == "slug":
            raise click.BadParameter(f'"{one}" is not KEY=VALUE, or cannot be changed.', param_hint="--set")
        at = raw.setdefault("texts", {}).setdefault(above[1], {}) if above else raw
        at[last] = Said(value)
    said, problems = read_list(raw, current_parts().settings.root)
    if problems:
        raise click.ClickException("\n".join(problems))
    return said


def _say_what_it_lacks(row: List) -> None:
    if missing := rows.lacks(row):
        click.echo(f"It still lacks {', '.join(missing)}.", err=True)


def _show_wordings(row: List, *, as_json: bool) -> None:
    catalogue = current_parts().catalogue
    with reading() as session:
        people = subscriptions.by_wording(session, row.id)
    current = rows.current(row)
    found = [
        {"id": one.id, "language": one.language, "since": one.valid_from, "in_use": one.id in current,
         "subscribers": people.get(one.id, 0), "text": one.text}
        for one in rows.versions(catalogue, row)
    ]  # fmt: skip
    print_rows(found, _WORDINGS, as_json=as_json)
