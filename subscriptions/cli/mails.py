"""Commands for mails: try the relay, see every mail, check every mail."""

import secrets
import shutil
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import click
from flask import current_app

from subscriptions.cli import address_of, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.address import Address
from subscriptions.look.tokens import FILE
from subscriptions.mail.lint import part_of
from subscriptions.mail.preview import Preview, Previews, all_kinds
from subscriptions.mail.smtp import GiveUp, Later, Pause
from subscriptions.parts import current_parts
from subscriptions.store.lists import lacking
from subscriptions.store.models import List

mail = Group("mail", help="Test the relay, and see and check the emails that are sent.")


@mail.command("test")
@click.argument("address", type=address_of)
@click.option("--list", "slug", metavar="SLUG", help="Send it as the sender of this list.")
@click.option("--confirmation", is_flag=True, help="Send the confirmation email as a sample; its links lead nowhere.")
@ready
def test_mail(address: Address, slug: str | None, *, confirmation: bool) -> None:
    """Send a test email to ADDRESS through the configured relay, and show the relay's reply."""
    parts, row, mid = current_parts(), the_list(slug) if slug else None, secrets.token_hex(16)
    composer, now = parts.sender.composer, parts.clock.now()
    message = composer.test_mail(address.mailed, mid, now, row)
    if confirmation and row is None:
        raise click.UsageError("Of which list? Add --list SLUG.")
    if confirmation and row:
        previews = Previews(composer, parts.settings, parts.catalogue, now)
        message = previews.sample(row, parts.languages.best(None, (), row.locale), address.mailed, mid)
    try:
        click.echo(f"The relay accepted it: {parts.sender.try_out(message)}")
    except (Pause, Later, GiveUp) as error:
        raise click.ClickException(f"The relay did not accept it: {error}.") from None


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--list", "slug", metavar="SLUG", help="Only for this list."),
        click.option("--language", "tag", metavar="CODE", help='Only in this language, such as "en".'),
        click.option("--mail", "kind", type=click.Choice(list(all_kinds())), help="Only this email."),
    ):
        command = option(command)
    return command


def _chosen(kind: str | None, tag: str | None, slug: str | None) -> list[Preview]:
    parts = current_parts()
    known = parts.languages.tags
    if tag and tag not in known:
        raise click.ClickException(f'There is no language "{tag}". The languages are: {", ".join(known)}.')
    lists = [the_list(slug)] if slug else parts.catalogue.configured
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, parts.clock.now())
    found = list(previews.all_of([kind] if kind else all_kinds(), lists, [tag] if tag else known))
    if not found:
        raise click.ClickException(
            f'The email "{kind}" is only sent in English, or only by a service with several lists.'
        )
    return found


@mail.command("preview")
@_choosing
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write files to this folder instead of stdout.",
)
@ready
def preview(kind: str | None, tag: str | None, slug: str | None, output: Path | None) -> None:
    """Show each email as it would be sent, to an invented person: as text, or as files with an index.html."""
    found = _chosen(kind, tag, slug)
    if output is None:
        click.echo("\n\n".join(_as_text(mail) for mail in found))
        return
    try:
        _write_folder(output, found)
    except OSError as error:
        raise click.ClickException(f"The folder could not be written: {error.strerror}.") from None
    click.echo(f"{len(found)} emails are in {output}: open {output / 'index.html'} in a browser.")


def _as_text(mail: Preview) -> str:
    message = message_from_bytes(mail.octets, policy=policy.default)
    head = "\n".join(f"{name}: {message[name]}" for name in ("From", "To", "Subject"))
    return f"==== {_named(mail)} ====\n{head}\n\n{part_of(message, 'plain').rstrip()}"


def _write_folder(folder: Path, previews: list[Preview]) -> None:
    lists: dict[str, dict[str, Any]] = {}
    for mail in previews:
        file = f"{mail.row.slug}/{mail.kind}.{mail.tag}"
        _write_mail(folder / file, mail.octets)
        kinds = lists.setdefault(mail.row.slug, {"name": mail.row.name, "rows": {}})["rows"]
        kinds.setdefault(mail.kind, []).append({"tag": mail.tag, "file": file})
    for name in ("tokens.css", "style.css"):
        shutil.copyfile(FILE.with_name(name), folder / name)
    template = current_app.jinja_env.get_template("pages/preview_folder.html")
    (folder / "index.html").write_text(template.render(lists=list(lists.values())), "utf-8")


def _write_mail(file: Path, octets: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name(f"{file.name}.eml").write_bytes(octets)
    message = message_from_bytes(octets, policy=policy.default)
    for kind, ending in (("plain", "txt"), ("html", "html")):
        file.with_name(f"{file.name}.{ending}").write_text(part_of(message, kind), "utf-8", newline="\n")


@mail.command("lint")
@_choosing
@ready
def lint(kind: str | None, tag: str | None, slug: str | None) -> None:
    """Check that no email has advertising, remote content or missing facts. Prints one line for each problem.

    It also says which texts of a list have not been translated; people then see the text in the list's own language.
    """
    lists = [row for row in current_parts().catalogue.configured if slug in (None, row.slug)]
    found, lacking = _chosen(kind, tag, slug), current_parts().findings(lists)
    for row, language in dict.fromkeys((mail.row, mail.tag) for mail in found):
        _say_what_is_missing(row, language)
    wrong = [f"{_named(mail)}: {problem}." for mail in found for problem in mail.problems]
    said = [*wrong, *(f"{one[0].upper()}{one[1:]}." for one in lacking)]
    click.echo("\n".join(said) if said else f"{len(found)} emails checked: no problems.")
    if wrong:
        number = sum(bool(mail.problems) for mail in found)
        raise click.ClickException(f"{number} of {len(found)} emails should not be sent as they are.")
    if lacking:
        raise click.ClickException("Please correct the configuration before you send email.")


def _say_what_is_missing(row: List, tag: str) -> None:
    lacks = lacking(row, tag)
    if lacks and current_parts().languages.known(row.locale) != tag:
        click.echo(f'{row.slug}, {tag}: {", ".join(lacks)} not translated; shown in "{row.locale}".')


def _named(mail: Preview) -> str:
    return f"{mail.kind}, {mail.tag}, {mail.row.slug}"
