"""Wherever the page after the form leads, by link, form or redirect: no page there vouches for the sign-up."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.builders import NEWS, World
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.typed import BY_OUR_PAGE, WRONG, visit

pytestmark = BY_DAY_ON_SQLITE

LANGUAGES = ("de", "en", "es", "fr")
FRAME = f"/embed/{NEWS}/frame"
BEGINNINGS = {
    "of the sign-up": f"/subscribe/{NEWS}/check-inbox?r={{}}&new=1",
    "sent by a stranger": f"/subscribe/{NEWS}/check-inbox?r={{}}",
    "of several lists": f"/subscribe/{NEWS}/check-inbox?r={{}}&also=offers&new=1",
    "in another language": f"/subscribe/{NEWS}/check-inbox?r={{}}&lang=fr&new=1",
    "after another mail": f"/subscribe/{NEWS}/check-inbox?r={{}}&again=1",
    "linked by a script": f"/subscribe/{NEWS}/check-inbox?r={{}}&lang=de&also=",
    "framed": f"{FRAME}/check-inbox?r={{}}&new=1",
}


class Step(NamedTuple):
    """What a reader can do on a page: follow a link, or send a form."""

    url: str
    sent: tuple[tuple[str, str], ...] | None = None


class Steps(HTMLParser):
    """All that a page offers; what a reader would type is a wrong code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Step] = []
        self._action = ""
        self._fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("a", "iframe", "link"):
            self.found.append(Step(given.get("href") or given.get("src", "")))
        elif tag == "form":
            self._action, self._fields = given.get("action", ""), []
        elif "formaction" in given or given.get("http-equiv") == "refresh":
            raise AssertionError(f"a way that is not walked: {self.get_starttag_text()}")
        elif tag == "input":
            self._fields.append((given["name"], WRONG if given["name"] == "code" else given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.found.append(Step(self._action, tuple(self._fields)))


def take(world: World, step: Step) -> TestResponse:
    """As a browser does whose reader sits on a page of ours."""
    if step.sent is None:
        return world.get(step.url, headers=BY_OUR_PAGE)
    return world.post(step.url, data=dict(step.sent), headers=BY_OUR_PAGE)


def steps(base: str, answer: TestResponse) -> Iterator[Step]:
    """What is offered on the page or by the redirect, as far as it is ours and no sign-up of the reader's own."""
    reader = Steps()
    reader.feed(answer.text)
    for step in [*([Step(answer.location)] if answer.location else []), *reader.found]:
        url = urljoin(base, step.url)
        is_sign_up = "email" in dict(step.sent or ())
        is_ours = url.startswith(base) and urlsplit(url).path.startswith(("/subscribe", "/embed"))
        if is_ours and not is_sign_up:
            yield Step(url.partition("#")[0], step.sent)


def walk(world: World, begin: str) -> Iterator[tuple[Step, TestResponse]]:
    """Every step that can be taken from that page, and from where it leads, once."""
    ahead, seen = list(steps(world.base_url, take(world, Step(begin)))), set()
    while ahead:
        step = ahead.pop(0)
        if step not in seen:
            seen.add(step)
            answer = take(world, step)
            ahead += steps(world.base_url, answer)
            yield step, answer


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_no_page_that_an_inbox_page_leads_to_vouches(world: World, begin: str) -> None:
    handle = visit(world)
    walked = list(walk(world, BEGINNINGS[begin].format(handle)))
    for step, answer in walked:
        assert "data-tab" not in answer.text and "open-tab.js" not in answer.text, step
        assert "new=" not in step.url, step
    inbox = [step for step, _ in walked if handle in step.url]
    sent = {urlsplit(step.url).path.rpartition("/")[2] for step, _ in walked if step.sent}
    assert sent == {"check-inbox", "code"}
    assert any("again=1" in step.url for step in inbox)
    assert any(answer.status_code == 422 and 'name="code"' in answer.text for _, answer in walked)
    if begin != "framed":
        assert all(any(f"lang={tag}" in step.url for step in inbox) for tag in LANGUAGES)
        assert any(urlsplit(step.url).path in (f"/subscribe/{NEWS}", "/subscribe") for step, _ in walked)


def test_a_walk_notices_a_page_that_vouches(world: World) -> None:
    page = f"/subscribe/{NEWS}/check-inbox?r={visit(world)}&new=1"
    assert "open-tab.js" in take(world, Step(page)).text
