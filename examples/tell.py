"""Tells Yestwice who left, bounced or complained in another program: an address on each line of standard input.

    … | python examples/tell.py unsubscribe --list newsletter --told told.txt

A time may follow the address, after a tab (RFC 3339): what happened before somebody confirmed again is not about that
consent. `--told` names a file that keeps every line once it has been told, so that the same line is told only once.
The address of the service and a token of scope manage come from YESTWICE and YESTWICE_TOKEN.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

AT_ONCE = 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("type", choices=["unsubscribe", "bounce", "complaint"], help="bounce: for good, not for now")
    parser.add_argument("--list", required=True)
    parser.add_argument("--told", type=Path, metavar="FILE", help="what has been told before; created if missing")
    asked = parser.parse_args()
    known = set(asked.told.read_text("utf-8").splitlines()) if asked.told and asked.told.exists() else set()
    lines = [line for line in dict.fromkeys(map(str.strip, sys.stdin)) if line and line not in known]
    problems = 0
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        answer = told([event(line, asked.type, asked.list) for line in part])
        for problem in answer["problems"]:
            print(f"{problem['pointer']}: {problem['detail']}", file=sys.stderr)
        problems += len(answer["problems"])
        if asked.told:
            keep(asked.told, part)
    print(f"{len(lines)} told, {problems} not understood.")
    return 1 if problems else 0


def event(line: str, type_: str, slug: str) -> dict[str, Any]:
    address, _, at = line.partition("\t")
    more = ({"at": at} if at else {}) | ({"hard": True} if type_ == "bounce" else {})
    return {"type": type_, "email": address, "list": slug, **more}


def told(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the service answers. Whatever goes wrong ends the program: run it again, and it goes on."""
    head = {"Authorization": f"Bearer {os.environ['YESTWICE_TOKEN']}", "Content-Type": "application/json"}
    url = f"{os.environ['YESTWICE'].rstrip('/')}/api/v1/events"
    request = urllib.request.Request(url, json.dumps(events).encode(), head)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        said = json.loads(error.read() or b"{}")
        if error.code == 422 and said.get("errors"):
            return {"problems": said["errors"]}
        sys.exit(f"The service answered {error.code}: {said.get('detail', error.reason)}")
    except OSError as error:
        sys.exit(f"The service cannot be reached: {error}")


def keep(path: Path, lines: Iterable[str]) -> None:
    """For its user alone, since it holds addresses."""
    with open(path, "a", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
