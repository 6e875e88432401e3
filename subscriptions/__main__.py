"""`python -m subscriptions`, in the folder of app.py, and `yestwice`: the commands of the product."""

import sys
from importlib import import_module

import click
from flask.cli import ScriptInfo

from subscriptions import start
from subscriptions.cli import commands
from subscriptions.cli.menu import Program, with_examples
from subscriptions.places import APP
from subscriptions.serving import serve


@click.command("serve")
def serve_command() -> None:
    """Start the service: web, emails and jobs, until it is stopped."""
    serve(import_module(APP).create_app)


def program() -> Program:
    """All that `yestwice` does; `serve` is no command of `flask`, which would make an application first."""
    return Program({**commands(), **with_examples({"serve": serve_command})})


def main() -> None:
    """Run one command; a configuration that is not right is a sentence."""
    create_app = import_module(APP).create_app  # which joins all rooms, this one too

    try:
        program().main(prog_name="yestwice", obj=ScriptInfo(create_app=lambda: create_app()))
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))


if __name__ == "__main__":
    main()
