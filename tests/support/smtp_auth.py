"""AUTH PLAIN and AUTH LOGIN as a relay hears them."""

import base64
import binascii

from tests.support.smtp_lines import Lines


def hear_login(lines: Lines, argument: str) -> tuple[str, str] | None:
    """The user and password that the client gave; None if it spoke no method that we know."""
    method, _, first = argument.partition(" ")
    match method.upper():
        case "PLAIN":
            return _plain(lines, first)
        case "LOGIN":
            return _login(lines, first)
        case _:
            return None


def _plain(lines: Lines, first: str) -> tuple[str, str]:
    _, user, password, *_ = [*_decoded(first or _ask(lines, "")).split("\0"), "", ""]
    return user, password


def _login(lines: Lines, first: str) -> tuple[str, str]:
    user = _decoded(first or _ask(lines, "Username:"))
    return user, _decoded(_ask(lines, "Password:"))


def _ask(lines: Lines, question: str) -> str:
    lines.write(f"334 {base64.b64encode(question.encode()).decode()}")
    return lines.read().decode("ascii", "replace").strip()


def _decoded(answer: str) -> str:
    try:
        return base64.b64decode(answer, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
