"""Commands for what an operator has to write down."""

import json

import click

from subscriptions.cli import ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.parts import current_parts
from subscriptions.record import policy_text as text_of
from subscriptions.record import processing
from subscriptions.store import accounts
from subscriptions.store.engine import reading

group = Group("record", help="What you have to write down about the processing of personal data.")


@group.command("show")
@click.option("--language", "tag", metavar="CODE", default="en", show_default=True, help="In this language.")
@click.option("--policy-text", is_flag=True, help="Print the text for your privacy policy instead.")
@click.option("--list", "slug", metavar="SLUG", help="Only of this list.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs: an array of objects.")
@ready
def show(tag: str, slug: str | None, *, policy_text: bool, as_json: bool) -> None:
    """Show the record of processing (Article 30 GDPR) with the measures (Article 32), as this installation is set.

    What only you know stands in [brackets].
    """
    parts = current_parts()
    known = parts.languages.known(tag)
    if known is None:
        said = f'There is no language "{tag}". The languages are: {", ".join(parts.languages.tags)}.'
        raise click.ClickException(said)
    rows = [the_list(slug)] if slug else parts.catalogue.kept
    if policy_text:
        texts = {row.slug: text_of(parts, row, known) for row in rows}
        told = [{"list": slug, "language": known, "text": text} for slug, text in texts.items()]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else "\n\n---\n\n".join(texts.values()))
        return
    with reading() as session:
        sections = processing.record(parts, rows, accounts.open_number(session), known)
    if as_json:
        facts = [(section, *fact) for section, said in sections for fact in said]
        lines = [{"section": section, "label": label, "says": says} for section, label, says in facts]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=2))
        return
    click.echo(f"{processing.title(parts, known)}\n\n{processing.as_text(sections)}")
