"""What reads mails before people do follows every link of every mail; it changes nothing."""

import email
import re
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.store.models import db
from tests.builders import text_of
from tests.desk import PASSWORD
from tests.support.server import Server
from tests.support.sql import connected, rows
from tests.support.visitor import CONFIRM, LISTS, Visitor, try_out

pytestmark = [pytest.mark.browser, pytest.mark.drill, pytest.mark.timeout(300)]

ANNE, BART, CARL, DORA = (f"{name}@example.org" for name in ("anne", "bart", "carl", "dora"))
QUIET = {"jobs", "counters", "traffic"}  # what only says how often, or when a job ran
# all with a link of ours that carries something, but that of numbers, which test_desk_numbers.py follows; the links of
# the others are those of pages that everybody knows, or the one to leave, as in a welcome
BARE = {kind for kind in MailKind if kind.row.of_request} | {MailKind.REQUESTS_DUE, MailKind.NOTHING_STORED}
OTHERS = {MailKind.ERASED, MailKind.NUMBERS, MailKind.UNRESTRICTING} | BARE
MAILS = {kind for kind in MailKind if not kind.row.to_operator} - OTHERS
READERS: list[dict[str, str | float | bool]] = [
    {}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"User-Agent": "BingPreview/1.0b"}
]  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with try_out(tmp_path, lists=LISTS.replace("{slug", "{welcome = true, slug")) as running:
        yield running


def every_mail(visitor: Visitor) -> None:
    """One of each kind is sent, and what its links are about still stands."""
    visitor.sign_up(ANNE)
    visitor.sign_up(BART)
    visitor.open_mail(BART)
    visitor.press_in_mail(CONFIRM)
    visitor.press("Yes, subscribe me")
    _several(visitor, DORA)
    visitor.move_clock("+1 hour")
    visitor.sign_up(BART)
    visitor.open_mailbox(BART, 3)
    visitor.move_clock("+1 hour")
    _ask_for_preferences(visitor, BART)
    visitor.open_mail(BART, 4)
    visitor.press_in_mail("Open your subscriptions and data")
    visitor.press("Open your subscriptions and data")
    visitor.page.get_by_label("New email address").fill(CARL)
    visitor.press("Change my address")
    visitor.open_mail(CARL)
    visitor.press_in_mail("Move my subscriptions here")
    visitor.press("Move my subscriptions here")
    visitor.open_mailbox(BART, 5)
    visitor.move_clock("+1 hour")
    _ask_for_preferences(visitor, CARL)
    visitor.open_mailbox(CARL, 2)
    _come_to_the_desk(visitor, DORA)


def _come_to_the_desk(visitor: Visitor, address: str) -> None:
    """Invited, and then the password is forgotten."""
    visitor.go("/admin/sign-in")
    visitor.press("Come in")
    visitor.go("/admin/accounts")
    visitor.page.get_by_label("Email address").fill(address)
    visitor.page.get_by_label("viewer:").check()
    visitor.press("Make a link")
    visitor.open_mail(address, 2)
    visitor.press_in_mail("Choose a password")
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Keep it and sign in")
    visitor.go("/admin/forgotten")
    visitor.page.get_by_label("Email address").fill(address)
    visitor.press("Email me a link")
    visitor.open_mailbox(address, 3)


def _several(visitor: Visitor, address: str) -> None:
    visitor.go("/subscribe")
    for choice in visitor.page.get_by_role("checkbox").all():
        choice.check()
    visitor.page.get_by_label("Email address").fill(address)
    visitor.press("Subscribe")
    visitor.open_mailbox(address)


def _ask_for_preferences(visitor: Visitor, address: str) -> None:
    visitor.go("/preferences")
    visitor.page.get_by_label("Email address").fill(address)
    visitor.press("Email me my link")


def database(folder: Path) -> str:
    return f"sqlite:///{folder}/subscriptions.db"


def links(folder: Path, server: Server) -> set[str]:
    """Of ours, in both parts of all mails."""
    found: set[str] = set()
    for source, *_ in rows(database(folder), "SELECT source FROM mailbox"):
        mail = email.message_from_bytes(source, policy=policy.default)
        for text in (text_of(mail), text_of(mail, "html"), str(mail["List-Unsubscribe"])):
            found.update(re.findall(rf"{server.base_url}/[^\s\"<>]+", text))
    return found


def everything(folder: Path) -> dict[str, list[str]]:
    tables = {name: table for name, table in db.metadata.tables.items() if name not in QUIET}
    with connected(database(folder)) as connection:
        rows = {name: sorted(map(repr, connection.execute(sa.select(one)))) for name, one in tables.items()}
    rows["meta"] = [row for row in rows["meta"] if not row.startswith("('written',")]  # whether the disk takes it
    return rows


def test_following_every_link_of_every_mail_changes_nothing(browser: Browser, server: Server, tmp_path: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        every_mail(Visitor(context.new_page(), server.base_url))
    assert {mail for mail, *_ in rows(database(tmp_path), "SELECT mail FROM mailbox")} >= MAILS
    urls, before = sorted(links(tmp_path, server)), everything(tmp_path)
    alive = set()
    for url in urls:
        with browser.new_context() as context:
            fetch = context.request.fetch
            told = {fetch(url, method=how, headers=one).status for how in ("HEAD", "GET") for one in READERS}
            assert told in ({200}, {410})  # of a link that has been used
            alive |= {url.removeprefix(server.base_url).split("/")[1]} if told == {200} else set()
            page = context.new_page()
            page.goto(url)
            page.mouse.move(200, 300)
            page.mouse.wheel(0, 2000)
            page.wait_for_load_state("networkidle")
    assert everything(tmp_path) == before
    assert alive == {"confirm", "not-me", "unsubscribe", "my-data", "admin"}
