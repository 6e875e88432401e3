"""Where the form stood: the host alone, if it is the list's or ours, else that it was another; never the page."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.builders import ANNE, LISTS, NEWS, OFFERS, Movable, World, text_of
from tests.support.cases import each
from tests.support.doors import read_rows
from tests.typed import handle_of

SITE, OTHER = "https://www.example.org", "https://shop.example.org:8443"
LISTED = (replace(LISTS[0], origins=(SITE,)), replace(LISTS[1], origins=(SITE, OTHER)))
FRAME = f"/embed/{NEWS}/frame"
PAGE = f"{SITE}/a/page-of-hers?mail=anne"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=LISTED)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def sites(world: World) -> list[str | None]:
    """What the evidence of each sign-up says: a host, "another site", or nothing."""
    told = [one.details for one in world.evidence() if one.fact == "registered"]
    assert all("site" not in details or "flags" not in details for details in told)
    return [details.get("site") or next(iter(details.get("flags", [])), None) for details in told]


SAID: list[tuple[Mapping[str, str], str | None]] = [
    ({}, None),
    ({"Origin": SITE}, "www.example.org"),
    ({"Referer": PAGE}, "www.example.org"),
    ({"Origin": "null", "Referer": PAGE}, "www.example.org"),
    ({"Origin": "null"}, None),
    ({"Origin": OTHER}, "another site"),
    ({"Origin": "https://evil.example", "Referer": PAGE}, "another site"),
    ({"Referer": "https://evil.example/www.example.org"}, "another site"),
    ({"Referer": "https://www.example.org@evil.example/"}, "another site"),
    ({"Origin": "http://127.0.0.1:8000"}, "127.0.0.1:8000"),
    ({"Origin": "file://"}, "another site"),
]


def test_the_evidence_names_the_site_of_the_form_by_its_host_or_says_that_it_was_another(world: World) -> None:
    for number, (headers, _) in enumerate(SAID):
        data = {"email": f"form-{number}@example.org"}
        assert world.post(f"/subscribe/{NEWS}", data=data, headers=headers).status_code == 303
    assert sites(world) == [site for _, site in SAID]
    assert "page-of-hers" not in str(read_rows()) and "evil.example" not in str(read_rows())


def test_so_does_json_and_each_list_of_a_sign_up_goes_by_its_own_sites(world: World) -> None:
    world.sign_up("json@example.org", headers={"Origin": SITE})
    world.sign_up("program@example.org")
    both: dict[str, Any] = {"email": ANNE, "lists": [NEWS, OFFERS]}
    world.post("/subscribe", data=both, headers={"Origin": OTHER})
    assert sites(world) == ["www.example.org", None, "another site", "shop.example.org:8443"]


def action(answer: TestResponse) -> str:
    """Where the form of a frame leads."""
    found = re.search(r'<form method="post" action="([^"]+)"', answer.text)
    assert found is not None
    return found[1].replace("&amp;", "&")


HIDDEN = {"Origin": "null"}  # as browsers send it from a frame of ours


def test_of_a_frame_it_is_the_site_that_it_was_first_shown_on_through_every_page_of_it(world: World) -> None:
    first = action(world.get(FRAME, headers={"Referer": f"{SITE}/"}))
    wrong = world.post(first, data={"email": "anne"}, headers=HIDDEN)
    step = world.post(action(wrong), data={"email": ANNE, "website": "x"}, headers=HIDDEN)
    assert (wrong.status_code, step.status_code) == (422, 422)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', step.text))
    world.clock.forward(seconds=10)
    inbox = world.post(action(step), data=fields, headers=HIDDEN)
    page = world.get(inbox.location)
    correct = re.search(r'action="([^"]+/correct[^"]*)"', page.text)
    assert correct is not None
    again = action(world.post(correct[1].replace("&amp;", "&")))
    world.post(again, data={"email": "bart@example.org"}, headers=HIDDEN)
    assert sites(world) == ["www.example.org"] * 2


def test_what_a_frame_says_is_signed_and_never_hides_another_site(world: World) -> None:
    good = urlsplit(action(world.get(FRAME, headers={"Referer": f"{SITE}/"}))).query
    strange = urlsplit(action(world.get(FRAME, headers={"Referer": "https://evil.example/"}))).query
    tried = [(good, {"Origin": "https://evil.example"}), (good[:-3] + "abc", HIDDEN), (strange, HIDDEN), ("", HIDDEN)]
    for number, (query, headers) in enumerate(tried):
        world.post(f"{FRAME}?{query}", data={"email": f"visitor-{number}@example.org"}, headers=headers)
    assert sites(world) == ["another site", None, "another site", None]


def test_a_form_that_goes_on_in_a_frame_keeps_the_site_that_it_came_from(world: World) -> None:
    step = world.post(FRAME, data={"email": ANNE, "website": "x"}, headers={"Origin": SITE})
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', step.text))
    world.clock.forward(seconds=10)
    world.post(action(step), data=fields, headers=HIDDEN)
    assert sites(world) == ["www.example.org"]


def test_another_mail_keeps_the_site_that_the_form_of_each_list_stood_on(world: World) -> None:
    both = {"email": ANNE, "lists": [NEWS, OFFERS]}
    visits = [world.post("/subscribe", data=both, headers={"Origin": OTHER})]
    visits += [world.post(f"/subscribe/{NEWS}", data={"email": f"{n}@example.org"}, headers=said)
               for n, said in enumerate(({"Origin": SITE}, {}))]  # fmt: skip
    first = sites(world)
    assert first == ["another site", "shop.example.org:8443", "www.example.org", None]
    world.clock.forward(minutes=15)
    for signed_up in visits:  # as our own page asks for it
        data = {"r": handle_of(signed_up)}
        world.post(f"/subscribe/{NEWS}/check-inbox", data=data, headers={"Origin": world.base_url})
    assert sites(world) == first * 2


@each(("headers", "site"), SAID)
def test_the_confirmation_mail_names_the_site_of_the_form_where_that_is_a_known_one(
    world: World, headers: Mapping[str, str], site: str | None
) -> None:
    world.clock.forward(days=40)
    world.post(f"/subscribe/{NEWS}", data={"email": ANNE}, headers=dict(headers))
    mail = world.mails(ANNE)[-1]
    for kind in ("plain", "html"):
        text = re.sub("<[^>]+>", "\n", text_of(mail, kind))
        known = re.search(r"^.*Time: \d+ \w+ \d{4}, \d\d:\d\d \(UTC\)(?:, on (\S+))?$", text, re.M)
        assert known is not None and known[1] == (None if site == "another site" else site), text
