"""`python -m subscriptions`, in the folder of app.py, and `.venv/bin/yestwice`: the commands of the product."""

import sys
from typing import NoReturn

from flask.cli import ScriptInfo

from subscriptions import start
from subscriptions.cli import commands
from subscriptions.cli.menu import Program

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h, for which a mail server keeps the mail


def main() -> None:
    """Run one command. Whatever keeps `mail receive` from its end, the mail server has to try again."""
    if sys.argv[1:3] != ["mail", "receive"]:
        return _run()
    try:
        _run()
    except SystemExit as ended:
        if ended.code:
            _try_again(ended.code if isinstance(ended.code, str) else "")
        raise
    except BaseException as error:
        _try_again(type(error).__name__)


def _try_again(why: str) -> NoReturn:
    if why:
        print(why, file=sys.stderr)
    sys.exit(TRY_AGAIN)


def _run() -> None:
    """A configuration that is not right is a sentence."""
    try:
        from app import create_app  # which joins all rooms, this one too

        Program(commands()).main(prog_name="yestwice", obj=ScriptInfo(create_app=lambda: create_app()))
    except start.REFUSALS as error:
        sys.exit(start.sentence(error))


if __name__ == "__main__":
    main()
