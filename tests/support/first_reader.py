"""A newcomer's first minutes, however the service was installed: sign up, read the email, confirm, export."""

import http.client
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email import message_from_string
from email.policy import default
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from tests.support.ports import LOOPBACK, free_port
from tests.support.server import until

READER = "anne@example.org"


def _people_go() -> OpenerDirector:
    """Follows redirects as a browser does, and asks no proxy for this machine."""
    return build_opener(ProxyHandler({}), HTTPRedirectHandler())


def _page(url: str, form: Mapping[str, str] | None = None) -> str:
    body = urlencode(form).encode() if form is not None else None
    with _people_go().open(Request(url, body), timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def answers(base_url: str) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return "<form" in _page(f"{base_url}/subscribe/newsletter")
    return False


def _mails(base_url: str) -> list[str]:
    return re.findall(r'href="(/mailbox/[0-9]\w*)"', _page(f"{base_url}/mailbox"))


def confirms(base_url: str, address: str = READER) -> str:
    """The page that a reader sees at the end, by the form, the try-out mailbox and the button."""
    before = _mails(base_url)
    _page(f"{base_url}/subscribe/newsletter", {"email": address})
    found: list[str] = []

    def arrived() -> bool:
        found[:] = [one for one in _mails(base_url) if one not in before]
        return bool(found)

    until(arrived, every=0.2)
    source = message_from_string(_page(base_url + f"{found[0]}/source"), policy=default)
    said = source.get_body(("plain",))
    link = re.search(r"/confirm/\S+", said.get_content() if said else "")
    assert link is not None, source
    return _page(base_url + link[0], {})


@contextmanager
def serving(
    command: Sequence[str], folder: Path, base_url: str, env: Mapping[str, str], patience: float = 60.0, ends: int = 0
) -> Iterator[None]:
    """While the command serves, in that folder; SIGTERM has to end it with that status."""
    log = folder / "log-of-the-service"
    with log.open("wb") as said, subprocess.Popen(command, cwd=folder, env=env, stdout=said, stderr=said) as one:
        try:
            until(lambda: answers(base_url) or one.poll() is not None, patience, every=0.2)
            assert one.poll() is None, log.read_text()
            yield
        finally:
            one.terminate()
        assert one.wait(60) == ends, log.read_text()


def plain(**more: str) -> dict[str, str]:
    """The environment of somebody who has set nothing of ours."""
    ours = ("SUBSCRIPTIONS_", "FLASK_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | more


def first_export(
    serve: Sequence[str], yestwice: Sequence[str], folder: Path, *, ends: int = 0, patience: float = 60.0, **more: str
) -> str:
    """What `yestwice export` prints in that folder after somebody has signed up and confirmed there."""
    port = free_port()
    base_url, env = f"http://{LOOPBACK}:{port}", plain(SUBSCRIPTIONS_SERVER__PORT=str(port), **more)
    with serving(serve, folder, base_url, env, patience, ends):
        assert "You are subscribed" in confirms(base_url)
    export = [*yestwice, "export", "newsletter", "--format", "csv"]
    return subprocess.run(export, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout
