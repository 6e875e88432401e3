"""The route table, walked: every route has a row that holds, and a route without one is not there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import pytest
from flask import Flask, request
from werkzeug.routing import Rule

from subscriptions.settings import Limits as LimitSettings
from subscriptions.web.http.routes import ROUTES, USUAL, Limits, Route, Who, limits_by, shows_credentials
from tests.builders import ANNE, NEWS, World, bearer, owed
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.test_contracts import everything

pytestmark = BY_DAY_ON_SQLITE

SCOPES = ("subscribe", "read", "export", "manage")
LARGE = Limits(at_most=1024 * 1024, parts=500, seconds=60.0)
VALUES = {"slug": NEWS, "id_": "1", "filename": "style.css", "act": "leave", "kind": "confirm", "tag": "en",
          "name": "yestwice.js", "token": "x", "what": "reset", "step": "restore", "key": "00" * 16,
          "how": "answered"}  # fmt: skip


def path_of(rule: Rule) -> str:
    return rule.build({name: VALUES[name] for name in rule.arguments}, append_unknown=False)[1]  # type: ignore[index]


def rules_of(app: Flask, method: str) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if method in (rule.methods or set())]


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == ROUTES.keys()
    assert all(row.who is not Who.NOBODY for row in ROUTES.values())


def test_a_row_names_a_scope_exactly_where_a_token_is_looked_at() -> None:
    looked_at = {Who.MAY_HAVE_TOKEN, Who.TOKEN, Who.LOOPBACK_OR_TOKEN}
    assert [name for name, row in ROUTES.items() if bool(row.scope) is not (row.who in looked_at)] == []
    assert {row.scope for row in ROUTES.values()} <= {"", *SCOPES}


def asked(world: World, rule: Rule, headers: dict[str, str], peer: str) -> int:
    """The status for who shows that token, from that peer."""
    method = "POST" if "POST" in (rule.methods or set()) else "GET"
    here = {"base_url": world.base_url, "environ_base": {"REMOTE_ADDR": peer}}
    with world.app.test_client().open(path_of(rule), method=method, headers=headers, **here) as answer:
        return answer.status_code


def admitted(row: Route, scope: str, is_here: bool) -> int | None:
    """What the table says; None: it is up to the route."""
    token = None if scope == row.scope else 401 if scope in ("none", "wrong") else 403
    return {
        Who.EVERYONE: None,
        Who.MAY_HAVE_TOKEN: None if scope == "none" else token,
        Who.TOKEN: token,
        Who.LOOPBACK: None if is_here else 404,
        Who.LOOPBACK_OR_TOKEN: None if is_here else token,
        Who.DESK: None,
        Who.ACCOUNT: 303,  # to the way in, whatever token is shown
    }[row.who]


def test_each_route_admits_whom_its_row_names_and_nobody_else(world: World) -> None:
    wrong = []
    shown = {"none": {}, "wrong": {"Authorization": "Bearer x"}} | {scope: bearer(scope) for scope in SCOPES}
    guarded = [rule for rule in world.app.url_map.iter_rules() if ROUTES[rule.endpoint].who is not Who.EVERYONE]
    for rule, scope, peer in product(guarded, shown, ("127.0.0.1", "203.0.113.7")):
        found = asked(world, rule, shown[scope], peer)
        said = admitted(ROUTES[rule.endpoint], scope, peer == "127.0.0.1")
        if found in (401, 403) if said is None else found != said:
            wrong.append((rule.endpoint, scope, peer, found, said))
    assert wrong == []


@contextmanager
def a_row(endpoint: str, row: Route | None) -> Iterator[None]:
    """As if the table said that; None: as if it said nothing."""
    kept = ROUTES.pop(endpoint)
    if row:
        ROUTES[endpoint] = row
    try:
        yield
    finally:
        ROUTES[endpoint] = kept


@pytest.mark.parametrize("row", [None, Route()])
def test_a_route_whose_row_says_nothing_is_not_there(world: World, row: Route | None) -> None:
    with a_row("pages.form", row):
        assert [world.get(f"/subscribe/{NEWS}").status_code, world.get("/").status_code] == [404, 200]


def test_every_post_refuses_a_body_that_is_too_large(world: World) -> None:
    before, large = everything(), b"x" * (USUAL.at_most + 1)
    answers = {
        rule.endpoint: world.post(path_of(rule), data=large, content_type="text/plain").status_code
        for rule in rules_of(world.app, "POST")
    }
    assert answers == dict.fromkeys(answers, 413) and len(answers) >= 18
    assert everything() == before


CREDENTIALS = [({}, USUAL), ({"Authorization": "Basic eA=="}, LARGE), ({"Cookie": "a=b"}, LARGE)]


@pytest.mark.parametrize(("header", "most"), CREDENTIALS)
def test_larger_bodies_are_for_those_who_show_credentials(world: World, header: dict[str, str], most: Limits) -> None:
    path, lowered = f"/subscribe/{NEWS}", {name.lower(): value for name, value in header.items()}
    with a_row("pages.subscribe", replace(ROUTES["pages.subscribe"], limits=LARGE)):
        with world.app.test_request_context(path, world.base_url, method="POST", headers=header):
            world.app.preprocess_request()
            assert (request.max_content_length, request.max_form_parts) == (most.at_most, most.parts)
        of_front = limits_by(world.app.url_map)
        assert of_front("POST", path, lowered) == most
        assert of_front("POST", "/subscribe", lowered) == of_front("POST", "/nothing", lowered) == USUAL


def test_strangers_show_no_credentials() -> None:
    assert not shows_credentials({"host": "x", "accept": "*/*", "x-authorization": "y"})


def sent(world: World, rule: Rule) -> int:
    """A call that would do what the route is for, as far as a stranger can make one."""
    form = {"email": "dora@example.org", "lists": NEWS, "wording": "", "r": world.parts.links.new_handle()}
    if rule.rule.startswith("/api/"):
        again = {"registration": form["r"]} if rule.endpoint == "api.again" else {"email": form["email"]}
        return world.post(path_of(rule), json=again).status_code
    return world.post(path_of(rule), data=form).status_code


def test_the_limit_of_a_network_counts_the_calls_that_its_rows_name(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    app = make_app(limits=LimitSettings(signups_per_network="1/1h"))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        assert world.sign_up(ANNE).status_code == 202 and len(owed()) == 1
        limited = {rule.endpoint for rule in rules_of(app, "POST") if sent(world, rule) == 429}
    assert limited == {name for name, row in ROUTES.items() if row.per_network}
