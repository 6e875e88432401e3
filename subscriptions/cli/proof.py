"""The command that writes the proof of one consent."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from subscriptions import proof as proofs
from subscriptions.cli import acts, address_of, key_of, ready, the_list
from subscriptions.cli.explain import in_english
from subscriptions.domain.address import Address
from subscriptions.parts import current_parts
from subscriptions.proof import files as proof_files
from subscriptions.store import audit
from subscriptions.store.engine import reading

FOR_COURT = "proof court"  # the act, where links that work are handed out


@click.command("proof")
@click.argument("address", type=address_of)
@click.option("--list", "slug", required=True, help="The list to which ADDRESS consented.")
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path),
    help="Write the files to this folder; it is made where it is missing.",
)  # fmt: skip
@click.option("--language", "tag", help="The language of proof.html: de, en, es or fr. Otherwise that of the list.")
@click.option(
    "--court", is_flag=True,
    help="Also write the email with its working links, for the court only: they unsubscribe for ever.",
)  # fmt: skip
@ready
def proof(address: Address, slug: str, output: Path, tag: str | None, court: bool) -> None:
    """Write the proof that ADDRESS consented to a list: to print, for programs, and the email that was confirmed."""
    parts, row = current_parts(), the_list(slug)
    if tag and not parts.languages.known(tag):
        known = ", ".join(parts.languages.tags)
        raise click.ClickException(f'There is no language "{tag}". The languages are: {known}.')
    act = acts.act(key_of(address), list=slug)
    audit.note(replace(act, act=FOR_COURT) if court else act)
    try:
        with reading() as session:
            case = proofs.gather(session, key_of(address), row, parts.clock.now(), address.mailed)
            made = proof_files.files(session, case, proof_files.language(case, tag or ""), court=court,
                                     office=acts.account())  # fmt: skip
    except proofs.NoConsent as none:
        raise click.ClickException(in_english(none.says)) from None
    except proof_files.NotAgain as error:
        raise click.ClickException(str(error)) from None
    _write(output, made)
    click.echo(f"{', '.join(made)}: in {output}")
    if proof_files.MAIL not in made:
        click.echo("The confirmation email cannot be made again: proof.html says what is kept of it.", err=True)


def _write(folder: Path, made: Mapping[str, bytes]) -> None:
    """For the eyes of whoever gave the command; each file whole or not at all."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, octets in made.items():
            part = folder / f".{name}.part"
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            part.write_bytes(octets)
            part.replace(folder / name)
    except OSError as error:
        raise click.ClickException(f"The folder could not be written: {error.strerror}.") from None
