"""Somebody who does the proof of work: small sums, the same ways."""

import base64
import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import altcha
from werkzeug.datastructures import MultiDict

from subscriptions.links.work import ProofOfWork
from subscriptions.parts import Parts

KEYS = (b"a secret key of the tests",)


def make_light(parts: Parts) -> None:
    """Challenges that are solved in a blink; everything else about them is as it is."""
    parts.work = ProofOfWork(KEYS, parts.clock, cost=1, tries=(0, 8))


def solved(challenge: dict[str, Any]) -> str:
    """The payload that the widget would send."""
    it = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(it)
    assert solution is not None
    return altcha.Payload(it, solution).to_base64()


def changed(payload: str, solution: dict[str, Any], parameters: dict[str, Any]) -> str:
    """The same payload with another solution, or of another challenge."""
    body = json.loads(base64.b64decode(payload))
    body["solution"] |= solution
    body["challenge"]["parameters"] |= parameters
    return base64.b64encode(json.dumps(body).encode()).decode()


def fields_of(page: str) -> "MultiDict[str, str]":
    """What the form of a page sends when its button is pressed and nothing is typed."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return MultiDict([(name, unescape(value)) for name, value in found])


A_MOMENT = timedelta(seconds=3)  # longer than a form must take
