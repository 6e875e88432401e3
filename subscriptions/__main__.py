"""`python -m subscriptions`, in the folder of app.py, and `yestwice`: the commands of the product."""

import sys
from importlib import import_module

import click
from flask.cli import ScriptInfo

from subscriptions import start
from subscriptions.cli import commands
from subscriptions.cli.menu import Program, with_examples
from subscriptions.places import APP


@click.command("serve")
def serve_command() -> None:
    """Start the service: web, emails and jobs, until it is stopped."""
    from subscriptions.serving import serve  # which no other command needs

    serve(import_module(APP).create_app)


def program() -> Program:
    """All that `yestwice` does; `serve` is no command of `flask`, which would make an application first."""
    return Program({**commands(), **with_examples({"serve": serve_command})})


TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h, for which a mail server keeps the mail


def main() -> None:
    """Run one command. Whatever keeps `mail receive` from its end, the mail server has to try again."""
    try:
        _run()
    except BaseException as error:
        is_well = isinstance(error, SystemExit) and not error.code
        if is_well or sys.argv[1:3] != ["mail", "receive"]:
            raise
        told = error.code if isinstance(error, SystemExit) else type(error).__name__
        if isinstance(told, str):
            print(told, file=sys.stderr)
        sys.exit(TRY_AGAIN)


def _run() -> None:
    """A configuration that is not right is a sentence."""
    try:
        create_app = import_module(APP).create_app  # which joins all rooms, this one too
        program().main(prog_name="yestwice", obj=ScriptInfo(create_app=lambda: create_app()))
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))


if __name__ == "__main__":
    main()
