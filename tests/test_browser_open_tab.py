"""To look at a mailed link confirms where the page of the sign-up itself is open, and nowhere else: in both engines.

The stranger of these tests knows all that there is to know about his sign-up, and what he puts into the reader's
browser stays open there.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.engines import Engine, Tab, chromium, firefox
from tests.support.server import Server, until
from tests.support.site import Site
from tests.support.visitor import try_out
from tests.test_open_tab import METHOD
from tests.typed import BY_OUR_PAGE, WRONG

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

FORM = "/subscribe/newsletter"
ENGINES = ("chromium", "firefox")
LANGUAGE, CODE, ANOTHER = "a[hreflang=de]", "form.code button", "form[action*=check-inbox] button"


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One browser for all: it takes longer to start than to use."""
    if request.param == "firefox":
        with firefox() as started:
            yield started
    else:
        with chromium(request.getfixturevalue("browser")) as started:
            yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with try_out(folder) as running:
        yield running


def heading(tab: Tab, text: str) -> None:
    until(lambda: text in tab.text("h1"), every=0.1)


def arrive(tab: Tab) -> None:
    """On a page after the form, in whichever language."""
    until(lambda: tab.text("#tab-waits h1") != "", every=0.1)


def sign_up(engine: Engine, server: Server, address: str) -> Tab:
    tab = engine.new_tab()
    tab.go(server.base_url + FORM)
    tab.write("input[type=email]", address)
    tab.click("form button[type=submit]")
    heading(tab, "Now check your inbox")
    return tab


def strangers(server: Server, address: str) -> str:
    """A sign-up from nowhere, told as a browser tells it; the page that it leads to."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", FORM, urlencode({"email": address}), kind | BY_OUR_PAGE)
        return server.base_url + str(connection.getresponse().getheader("Location"))


def rows(folder: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "subscriptions.db")) as connection:
        return connection.execute(query, values).fetchall()


def link(server: Server, address: str) -> str:
    """Of the mail to that address, as soon as it is in the mailbox."""
    found: list[str] = []

    def arrived() -> bool:
        for id_ in re.findall(r'href="/mailbox/(\d+)"', server.ask("GET", "/mailbox/")[2]):
            source = server.ask("GET", f"/mailbox/{id_}/body")[2]
            if f"To: {address}" in server.ask("GET", f"/mailbox/{id_}/source")[2]:
                found.extend(re.findall(rf"{server.base_url}/confirm/[\w.-]+", source))
        return bool(found)

    until(arrived, every=0.1)
    return found[0]


def methods(folder: Path) -> list[str]:
    return [str(one) for (one,) in rows(folder, "SELECT details FROM evidence WHERE fact = 'confirmed'")]


def test_the_link_confirms_at_once_where_the_page_of_the_sign_up_is_open(
    engine: Engine, server: Server, folder: Path
) -> None:
    for address, loaded_again in (("anne@example.org", False), ("bart@example.org", True)):
        tab, reader = sign_up(engine, server, address), engine.new_tab()
        if loaded_again:
            tab.reload()
        reader.go(link(server, address))
        heading(reader, "You are subscribed")
        heading(tab, "You are subscribed")
    assert len(methods(folder)) == 2 and all(METHOD in one for one in methods(folder))


def then(*act: Callable[[Tab], None]) -> Callable[[Tab, str], None]:
    def do(tab: Tab, url: str) -> None:
        tab.go(url)
        for one in act:
            one(tab)

    return do


IN_THE_BROWSER: dict[str, Callable[[Tab, str], None]] = {
    "opened from a mail": then(),
    "loaded again": then(lambda tab: tab.reload()),
    "loaded again by itself": then(lambda tab: tab.run("location.reload()")),
    "in another language": then(lambda tab: tab.click(LANGUAGE)),
    "in another language, loaded again": then(lambda tab: tab.click(LANGUAGE), lambda tab: tab.reload()),
    "in another language, and back": then(lambda tab: tab.click(LANGUAGE), lambda tab: tab.back()),
    "another mail": then(lambda tab: tab.click(ANOTHER)),
    "another mail, and back": then(lambda tab: tab.click(ANOTHER), lambda tab: tab.back()),
    "a wrong code": then(lambda tab: tab.write("#code", WRONG), lambda tab: tab.click(CODE)),
}
REFRESH = "<meta http-equiv=refresh content=&quot;0;url={url}&quot;>"
ON_A_SITE = {
    "link": '<a href="{url}">Cats</a>',
    "script": """<a onclick="window.open('{url}', '_self')">Cats</a>""",
    "refresh": f"""<a onclick="document.head.innerHTML += '{REFRESH}'">Cats</a>""",
    "form": '<form method="post" action="{form}"><input name="email" value="{address}"></form>'
    '<a onclick="document.forms[0].submit()">Cats</a>',
}


def vouches(tab: Tab) -> bool:
    return "new=" in tab.url() or tab.count("[data-tab]") > 0


def is_left_to_the_button(engine: Engine, server: Server, folder: Path, address: str) -> bool:
    before, reader = len(methods(folder)), engine.new_tab()
    reader.go(link(server, address))
    heading(reader, "Subscribe to The Example Letter?")
    reader.click("main form button")
    heading(reader, "You are subscribed")
    return ["button on the confirmation page" in one for one in methods(folder)[before:]] == [True]


def test_a_page_that_a_stranger_puts_into_the_browser_confirms_nothing(
    engine: Engine, server: Server, folder: Path
) -> None:
    url = strangers(server, "anne@example.org")
    assert "new=1" in url
    for name, act in IN_THE_BROWSER.items():
        tab = engine.new_tab()
        act(tab, url)
        arrive(tab)
        assert not vouches(tab), name
    assert is_left_to_the_button(engine, server, folder, "anne@example.org")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["of another site", "of a sibling domain"])
def test_a_page_that_another_page_leads_to_confirms_nothing(
    engine: Engine, server: Server, folder: Path, host: str
) -> None:
    url = strangers(server, "anne@example.org")
    with Site() as site:
        for name, body in ON_A_SITE.items():
            tab = engine.new_tab()
            values = {"url": url, "form": server.base_url + FORM, "address": "bart@example.org"}
            tab.go(site.page(f"/{name}", body.format(**values)).replace("localhost", host))
            tab.click("a")
            arrive(tab)
            for _ in range(2):
                assert not vouches(tab), name
                tab.reload()
    for address in ("anne@example.org", "bart@example.org"):
        assert is_left_to_the_button(engine, server, folder, address)
