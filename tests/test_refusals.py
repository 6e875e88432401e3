"""What a program is told where its sign-up is refused: which member, and what would be right."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.builders import ANNE, NEWS, World, bearer
from tests.several import world

__all__ = ["world"]
pytestmark = pytest.mark.parametrize("database", ["sqlite"])  # nothing of it is stored

URL = "/api/v1/subscriptions"
NO_ARRAY = "This member must be an array of slugs, at least one."
NO_IDS = "This member must be an object: for each slug the id of its consent text."
NO_TEXT = "This member must be a text."
NOT_ITS = "This consent text does not belong to this list. Please reload the form."
NO_PAGE = "The address of a page, http or https, of at most 500 characters."
NAMES_SOMEBODY = "The address of a page that names nobody: without an @-sign."
REFUSED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"nothing": "x"}, [("nothing", "This member is not known here.")]),
    ({"email": None, "name": 7, "list": []}, [("email", NO_TEXT), ("list", NO_TEXT), ("name", NO_TEXT)]),
    ({"email": ""}, [("email", "Please enter your email address.")]),
    ({"email": "anne"}, [("email", "The @ sign is missing. An email address looks like name@example.org.")]),
    ({"locale": "x y"}, [("locale", 'The locale must be a language tag such as "en" or "de-AT".')]),
    ({"wording": "x"}, [("wording", NOT_ITS)]),
    ({"lists": [NEWS], "wordings": {NEWS: "x"}}, [("wordings", NOT_ITS)]),
    ({"lists": [NEWS], "list": "x"}, [("list", '"list" and "lists" exclude each other.')]),
    ({"lists": [NEWS], "wording": "x"}, [("wording", '"wording" and "wordings" exclude each other.')]),
    *(({"lists": wrong}, [("lists", NO_ARRAY)]) for wrong in (None, "x", [], [1], [NEWS, None], {NEWS: NEWS})),
    ({"wordings": {}}, [("lists", NO_ARRAY)]),
    ({"lists": [NEWS, NEWS]}, [("lists", "A list is named twice.")]),
    *(({"lists": [NEWS], "wordings": wrong}, [("wordings", NO_IDS)]) for wrong in (None, [], "x", {NEWS: 1})),
    ({"name": "x" * 101}, [("name", "Name: at most 100 characters.")]),
    ({"company": "x\ny"}, [("company", "Company or club: it contains a character that is not allowed.")]),
    ({"list": "nowhere", "email": "", "anything": 1}, [("anything", "This member is not known here.")]),
]
VOUCHED = [
    *(({"ip": wrong}, "An IPv4 or IPv6 address.") for wrong in ("", "x", "192.0.2.256")),
    ({"ip": "fe80::1%eth0"}, "An IPv6 address without a zone."),
    *(({"page": wrong}, NO_PAGE) for wrong in ("x", "ftp://x.example/", "https://", "https://x.example:0/")),
    *(({"page": f"https://x.example/{wrong}"}, NO_PAGE) for wrong in ("x" * 483, "é", " ")),
    *(({"page": f"https://x.example/{wrong}"}, NAMES_SOMEBODY) for wrong in ("anne@example.org", "%40")),
    *(({"time": wrong}, 'A time with its zone (RFC 3339), such as "2026-11-23T12:00:00Z".')
      for wrong in ("x", "2026-11-23T12:00:00", "2026-02-30T12:00:00Z", "0001-01-01T00:00:00+01:00")),
    *(({"time": wrong}, "A time of the last 24 hours.") for wrong in ("2026-11-22T11:59:59Z", "2026-11-23T12:05:01Z")),
]  # fmt: skip
BODIES = {
    b"": "The body is not JSON.",
    b"{": "The body is not JSON.",
    b"\xff": "The body is not UTF-8.",
    b'"\\ud800"': "The body holds half of a character: a surrogate such as \\ud800 without the other.",
    b"[" * 60_000: "The body is nested too deeply.",
    b'{"email": "a", "email": "b"}': "The body names a member twice.",
    b'{"email": NaN}': "NaN is not JSON.",
    b"-Infinity": "-Infinity is not JSON.",
}


def told(answer: TestResponse) -> list[tuple[str, str]]:
    return [(one["pointer"].removeprefix("/"), one["detail"]) for one in answer.get_json()["errors"]]


def test_each_member_that_is_wrong_is_named_with_what_would_be_right(world: World) -> None:
    said = [(members, told(world.post(URL, json={"email": ANNE} | members))) for members, _ in REFUSED]
    assert said == REFUSED
    assert told(world.post(URL, json={})) == [("email", "This member is required.")]


def test_what_a_client_vouches_for_is_refused_with_what_would_be_right(world: World) -> None:
    token = bearer("subscribe")
    said = [(members, told(world.post(URL, json={"email": ANNE} | members, headers=token))) for members, _ in VOUCHED]
    assert said == [(members, [(name, text) for name in members]) for members, text in VOUCHED]


def test_a_body_that_cannot_be_read_is_refused_with_the_reason(world: World) -> None:
    said = {body: world.post(URL, data=body, content_type="application/json").get_json() for body in BODIES}
    assert {body: (answer["status"], answer["detail"]) for body, answer in said.items()} == {
        body: (400, text) for body, text in BODIES.items()
    }
    assert told(world.post(URL, json=[])) == [("", "The body must be a JSON object.")]
