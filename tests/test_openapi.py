"""The API's description of itself, held against what is served."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from subscriptions import __version__
from subscriptions.domain import codes
from subscriptions.domain.fields import LONGEST
from subscriptions.web.api.lists import PAGE_AT_MOST, PAGE_DEFAULT
from subscriptions.web.api.openapi import FIXED
from subscriptions.web.http.routes import Who, route
from subscriptions.web.intake.on_behalf import LONGEST_PAGE
from subscriptions.web.intake.parse import VOUCHED
from tests.builders import HIDDEN, NEWS, OFFERS, World, bearer
from tests.support.cases import BY_DAY_ON_SQLITE

URL = "/api/v1/openapi.json"
SCOPES = (None, "subscribe", "read", "export", "manage")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
OPERATIONS = {
    ("POST", "/api/v1/subscriptions"),
    ("POST", "/api/v1/subscriptions/again"),
    ("POST", "/api/v1/confirmations"),
    ("GET", "/api/v1/challenge"),
    ("GET", "/api/v1/lists"),
    ("GET", "/api/v1/lists/{list}/form"),
    ("GET", "/api/v1/lists/{list}/subscriptions"),
    ("GET", "/api/v1/lists/{list}/export"),
    ("GET", "/api/v1/changes"),
    ("POST", "/api/v1/events"),
    ("GET", URL),
}
# no description of a right code would keep it a secret
UNKNOWABLE = {"POST /api/v1/confirmations": [positive_data_acceptance]}


@pytest.fixture
def document(world: World) -> dict[str, Any]:
    answer = world.get(URL)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.get_json()
    return found


def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


def served(app: Flask) -> set[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    return {
        (method, re.sub(r"<(?:\w+:)?slug>", "{list}", rule.rule))
        for rule in rules
        for method in (rule.methods or set()) & METHODS
    }


def test_what_is_served_is_described_and_the_other_way_round(app: Flask, document: dict[str, Any]) -> None:
    assert served(app) == described(document) == OPERATIONS


def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert names == set(document["components"]["schemas"])


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"].endswith(".") for one in operations)


def test_the_description_names_the_scope_that_the_route_asks_for(app: Flask, document: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        wanted = route(rule.endpoint).scope
        if route(rule.endpoint).who is Who.TOKEN:
            path = rule.rule.replace("<slug>", "{list}")
            (operation,) = document["paths"][path].values()
            assert f'"{wanted}"' in operation["description"] and operation["security"][0] == {"token": []}
            assert ({"password": []} in operation["security"]) is route(rule.endpoint).by_password


def test_the_bounds_in_the_description_are_those_that_hold(document: dict[str, Any]) -> None:
    paths, sign_up = document["paths"], document["components"]["schemas"]["SignUp"]["anyOf"][0]["properties"]
    [limit] = [one["schema"] for one in paths["/api/v1/lists/{list}/subscriptions"]["get"]["parameters"]
               if one.get("name") == "limit"]  # fmt: skip
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, PAGE_AT_MOST, PAGE_DEFAULT)
    assert (sign_up["page"]["maxLength"], sign_up["name"]["maxLength"]) == (LONGEST_PAGE, LONGEST)
    assert document["info"]["version"] == __version__


def test_an_address_is_all_that_must_be_sent_to_the_first_list(document: dict[str, Any]) -> None:
    *kinds, several = document["components"]["schemas"]["SignUp"]["anyOf"]
    assert [one["properties"]["list"]["const"] for one in kinds] == [NEWS, OFFERS, HIDDEN]
    assert kinds[0]["required"] == ["email"]
    assert several["properties"]["lists"]["items"]["enum"] == [NEWS, OFFERS, HIDDEN]
    assert several["required"] == ["email", "lists"]
    assert all(one["additionalProperties"] is False for one in (*kinds, several))


def test_the_document_names_nobody_but_its_example(world: World) -> None:
    world.subscribe("canary@example.org")
    assert set(re.findall(r"[\w.]+@[\w.]+\w", world.get(URL).text)) == {"anne@example.org"}


def test_no_pattern_refuses_what_is_taken(world: World, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    address = schemas["SignUp"]["anyOf"][0]["properties"]["email"]
    assert (address["format"], "pattern" in address, "maxLength" in address) == ("idn-email", False, False)
    handle = world.sign_up("anne@example.fr").get_json()["registration"]
    assert re.search(schemas["Code"]["properties"]["registration"]["pattern"], handle)


@given(st.integers(0, 10**15), st.lists(st.sampled_from(["", " ", "-", "\u2013", "\t", "."]), min_size=9, max_size=9),
       st.booleans(), st.booleans())  # fmt: skip
def test_the_pattern_of_a_code_takes_each_way_to_type_one(
    number: int, between: list[str], small: bool, wide: bool
) -> None:
    code = codes.spell(number)
    letters = [chr(ord(one) + 0xFEE0) if wide else one for one in (code.lower() if small else code)]
    typed = between[0] + "".join(map("".join, zip(letters, between[1:], strict=True)))
    assert codes.read(typed) == code
    assert re.search(FIXED["components"]["schemas"]["Code"]["properties"]["code"]["pattern"], typed)
    assert not re.search(FIXED["components"]["schemas"]["Code"]["properties"]["code"]["pattern"], f"{code}0")


ADDRESSES = st.from_regex(
    r"[A-Za-z0-9]{1,20}([._+-][A-Za-z0-9]{1,10}){0,3}@([A-Za-z0-9]{1,20}\.){1,3}(com|net|org|eu|de|fr)|j\xf6rg@b\xfccher\.de",
    fullmatch=True,
)  # what the service takes of all that the format admits
schemathesis.openapi.format("idn-email", ADDRESSES)
BY_DAY, BY_NIGHT, IS_NIGHT = 8, 200, settings.get_current_profile_name() == "night"  # requests to each operation


@pytest.mark.slow
@pytest.mark.hypothesis
@BY_DAY_ON_SQLITE
@pytest.mark.parametrize("held", SCOPES)
def test_schemathesis_finds_nothing_that_the_document_does_not_say(world: World, held: str | None) -> None:
    world.subscribe()
    headers = bearer(held) if held else {}

    def from_outside(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        there = {"HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "203.0.113.7"}
        return world.app.wsgi_app(environ | there, start)

    schema = schemathesis.openapi.from_wsgi(URL, from_outside)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert {one.label for one in operations} == {f"{method} {path}" for method, path in OPERATIONS if path != URL}
    for operation in operations:
        _hold_against(operation.as_strategy(), headers, UNKNOWABLE.get(operation.label, []))


def _take_out(sent: Any, *names: str) -> None:
    """What no schema can say: which times are of the last 24 hours, who may send them, which cursors we gave."""
    for name in names if isinstance(sent, dict) else ():
        sent.pop(name, None)


def _hold_against(cases: Any, headers: dict[str, str], excluded: list[Any]) -> None:
    @settings(max_examples=BY_NIGHT if IS_NIGHT else BY_DAY, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def run(case: Any) -> None:
        if case.meta.generation.mode.is_positive:
            _take_out(case.body, *VOUCHED)
            _take_out(case.query, "cursor")
        case.call_and_validate(headers=headers, excluded_checks=excluded)

    run()
