"""Commands for sealed evidence: whether it is as it was sealed, and the head by which that can be shown later."""

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from subscriptions import logs
from subscriptions.cli.menu import Group
from subscriptions.domain import seal
from subscriptions.domain.seal import Seal
from subscriptions.parts import current_parts
from subscriptions.store import chain, seals
from subscriptions.store.engine import Contention, Unavailable
from subscriptions.witness import proof, walk
from subscriptions.witness.rows import Wrong
from subscriptions.witness.walk import Verdict

P = ParamSpec("P")
T = TypeVar("T")
group = Group("evidence", help="Show that evidence is as it was sealed: nothing altered, removed, inserted or swapped.")
NO_HEAD = (
    "Without --against nobody can tell whether an older copy was put back as a whole: compare with a head that was "
    "kept elsewhere (see `yestwice evidence head`)."
)


def looking(command: Callable[P, T]) -> Callable[P, T]:
    """A command that changes nothing, not even to prepare; what goes wrong is one sentence and status 1."""

    @with_appcontext
    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        logs.setup(sys.stderr)
        try:
            return command(*args, **kwargs)
        except Wrong as error:
            raise click.ClickException(str(error)) from None
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
            raise click.BadParameter(
                "This is no URL of a database that is known here.", param_hint="--database"
            ) from None
        except (Unavailable, Contention, DBAPIError):
            raise click.ClickException("The database cannot be read: check that it is there, and whole.") from None

    return run


def _head(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> Seal | None:
    """The head in a file, as text or JSON."""
    if path is None:
        return None
    try:
        said = path.read_text("utf-8")
        return seal.read(json.loads(said)) if said.lstrip().startswith("{") else seal.read_head(said)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no head of this program, or it was altered"
        raise click.BadParameter(f"{path}: {why}.") from None


as_file = click.Path(dir_okay=False, path_type=Path)


@group.command("verify")
@click.argument("proof_file", metavar="[PROOF.JSON]", type=as_file, required=False)
@click.option("--database", metavar="URL", help="Check this database, maybe a copy. Nothing is written to it.")
@click.option("--against", metavar="FILE", type=as_file, callback=_head, help="A head that was kept elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@looking
def verify(proof_file: Path | None, database: str | None, against: Seal | None, as_json: bool) -> None:
    """Check that all evidence is as it was sealed, and name the first thing that is not.

    With PROOF.JSON: check the sealed part of that proof, without a database.
    """
    if proof_file and database:
        raise click.UsageError("A proof is checked without a database: leave out --database.")
    if proof_file:
        _verify_proof(proof_file, against, as_json)
        return
    verdict = _walked(database, against)
    told = {"fits": verdict.wrong is None, "wrong": verdict.wrong, "events": verdict.leaves,
            "unsealed": verdict.unsealed, "unsealed_deletions": verdict.unsealed_removals,
            "head": seals.told(verdict.head) if verdict.head else None,
            "compared_with_head": against is not None, "compared_with_key": verdict.compared_with_key}  # fmt: skip
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif verdict.wrong is None:
        click.echo(_said(verdict, against))
    if verdict.wrong:
        raise click.ClickException(verdict.wrong)


def _walked(database: str | None, against: Seal | None) -> Verdict:
    parts = current_parts()
    with _opened(database) as session:
        if not chain.is_there(session):
            raise Wrong("This database has no seals: it was last used by a version before 0.6.0.")
        is_ours = chain.pepper_of(session) in (None, parts.pepper_mark)
        if not is_ours:
            click.echo("This database was made with another pepper, or says so: whose key has signed, and whether "
                       "addresses are those of the sign-ups, is not checked.", err=True)  # fmt: skip
        public, key_of = (parts.seal_key.public, parts.links.key) if is_ours else (None, None)
        hidden = not sys.stderr.isatty()
        total = chain.last_leaf(session)
        with click.progressbar(length=total, label="Checking", file=sys.stderr, hidden=hidden) as bar:
            return walk.verify(session, public, key_of, against, bar.update)


def _opened(database: str | None) -> AbstractContextManager[Session]:
    return chain.looked_at(database or current_parts().settings.database_url, is_copy=database is not None)


def _said(verdict: Verdict, against: Seal | None) -> str:
    head = verdict.head
    if head is None:
        return "Nothing is sealed yet."
    at, more = seal.time(head.sealed_at), f" Not sealed yet: {verdict.unsealed:,}." if verdict.unsealed else ""
    if verdict.unsealed_removals:
        more += f" Deletions that are not sealed yet: {verdict.unsealed_removals:,}."
    events = f"{verdict.leaves:,} event{'s' * (verdict.leaves != 1)}"
    fits = f"Everything fits: {events} in {head.block:,} block{'s' * (head.block != 1)}, the last sealed at {at}."
    return f"{fits}{more}\n{'The head that was kept fits as well.' if against else NO_HEAD}"


def _verify_proof(path: Path, against: Seal | None, as_json: bool) -> None:
    try:
        document = proof.read(path.read_text("utf-8"))
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Wrong("This is no proof of this program: it is not UTF-8.") from None
    count, later, newest = proof.verify(document, None, against)
    if as_json:
        told = {"fits": True, "events": count, "after_head": later, "head": seals.told(newest)}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    click.echo(f"The proof fits: {count} sealed events, signed with the key {newest.key.hex()}.")
    if against is None:
        click.echo("Compare that key with one that was kept elsewhere, or give a head: --against.")
    elif later:
        click.echo(f"{later} of them were sealed after that head.")


@group.command("head")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@looking
def head(as_json: bool) -> None:
    """Print the head. Kept elsewhere, it shows later that nothing before it has changed.

    `evidence verify --against FILE` compares the database with it.
    """
    with _opened(None) as session:
        last = _newest(session)
    if last is None:
        raise click.ClickException("Nothing is sealed yet: the job `seal` runs every minute.")
    click.echo(json.dumps(seals.told(last), indent=2) if as_json else seal.head(last).rstrip("\n"))


def _newest(session: Session) -> Seal | None:
    return seals.newest(session) if chain.is_there(session) else None
