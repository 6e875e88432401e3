"""`python -m subscriptions`, in the folder of app.py, and `.venv/bin/yestwice`: the commands of the product."""

import sys

from flask.cli import ScriptInfo

from subscriptions import start
from subscriptions.cli import commands
from subscriptions.cli.menu import Program


def main() -> None:
    """Run one command; a configuration that is not right is a sentence."""
    from app import create_app  # which joins all rooms, this one too

    try:
        Program(commands()).main(prog_name="yestwice", obj=ScriptInfo(create_app=lambda: create_app()))
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))


if __name__ == "__main__":
    main()
