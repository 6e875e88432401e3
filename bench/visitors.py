"""What visitors send: sign-ups by JSON and by the form, each from another network."""

import json
import re
from dataclasses import dataclass
from urllib.parse import urlencode

SLUG = "newsletter"
TAKEN = (202, 303)  # by JSON, by the form


@dataclass(frozen=True, slots=True)
class Visitors:
    """So many, `form` of a hundred by the form; numbered from `first`, since nobody comes twice."""

    number: int
    form: int = 0
    first: int = 0
    hidden: tuple[tuple[str, str], ...] = ()  # of the form as it was shown

    def requests(self, port: int) -> list[bytes]:
        return [self._request(self.first + n, n * self.form % 100 < self.form, port) for n in range(self.number)]

    def _request(self, n: int, by_form: bool, port: int) -> bytes:
        told = {"email": f"visitor{n}@example{n % 997}.org", "name": "Ada"}
        if by_form:
            path, kind, body = f"/subscribe/{SLUG}", "x-www-form-urlencoded", urlencode([*told.items(), *self.hidden])
        else:
            path, kind, body = "/api/v1/subscriptions", "json", json.dumps(told)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/{kind}\r\n"
            f"X-Forwarded-For: 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def hidden_fields(page: str) -> tuple[tuple[str, str], ...]:
    """Those of the form on this page."""
    tags = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", page)]
    return tuple((tag["name"], tag.get("value", "")) for tag in tags if tag.get("type") == "hidden")
