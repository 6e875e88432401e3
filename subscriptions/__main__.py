"""`python -m subscriptions`, in the folder of app.py, and `yestwice`: the commands of the product."""

import gc
import sys
from importlib import import_module

import click

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h, for which a mail server keeps the mail


@click.command("serve")
def serve_command() -> None:
    """Start the service: web, emails and jobs, until it is stopped."""
    from subscriptions.places import APP
    from subscriptions.serving import serve  # which no other command needs

    serve(import_module(APP).create_app)


def program() -> click.Group:
    """All that `yestwice` does; `serve` is no command of `flask`, which would make an application first."""
    from subscriptions.cli import commands
    from subscriptions.cli.menu import Program, with_examples

    return Program({**commands(), **with_examples({"serve": serve_command})})


def main() -> None:
    """Run one command. Whatever keeps `mail receive` from its end, the mail server has to try again."""
    if sys.argv[1:3] != ["mail", "receive"] or sys.argv[3:] == ["--help"]:
        return _run()
    try:
        _receive()
    except BaseException as error:
        if isinstance(error, SystemExit) and not error.code:
            raise
        told = error.code if isinstance(error, SystemExit) else type(error).__name__
        if isinstance(told, str):
            print(told, file=sys.stderr)
        sys.exit(TRY_AGAIN)


def _receive() -> None:
    """A mail server may start this for a thousand mails in a row, so it loads half of what other commands do."""
    gc.disable()  # it looks through all that is loaded, again and again, and the process ends in a moment
    from subscriptions.pipe import receive_mail

    receive_mail.main(sys.argv[3:], "yestwice mail receive")


def _run() -> None:
    """A configuration that is not right is a sentence."""
    from flask.cli import ScriptInfo

    from subscriptions import start
    from subscriptions.places import APP

    try:
        create_app = import_module(APP).create_app  # which joins all rooms, this one too
        program().main(prog_name="yestwice", obj=ScriptInfo(create_app=lambda: create_app()))
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))


if __name__ == "__main__":
    main()
