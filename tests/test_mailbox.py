"""The mailbox of the try-out mode: every mail as a mail program shows it, and gone with the person (interface.md)."""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from flask import Flask

from subscriptions.clock import Clock
from subscriptions.settings import Mail as MailSettings
from subscriptions.store import mailbox
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Captured
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World, link_in, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

PAGES = ["/mailbox", "/mailbox/", "/mailbox/1", "/mailbox/1/body", "/mailbox/1/source"]


class Styles(HTMLParser):
    """The style elements and style attributes of a page, as a browser hashes them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "style"
        self.found |= {value or "" for name, value in attrs if name == "style"}

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.add(data)


def page(world: World, path: str) -> str:
    answer = world.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def copies() -> list[Captured]:
    """Newest first."""
    with reading() as session:
        return list(mailbox.newest(session))


def mail_sent(world: World, address: str = ANNE, **fields: str) -> str:
    """Where the mailbox shows the mail that a sign-up has caused."""
    world.sign_up(address, **fields)
    world.deliver()
    return f"/mailbox/{copies()[0].id}"


def test_an_empty_mailbox_says_so(world: World) -> None:
    assert "No emails yet" in page(world, "/mailbox")


def test_the_mailbox_says_where_to_read_what_an_erasure_takes_along(world: World) -> None:
    assert "the email about the erasure too: see it among these" in world.get("/mailbox").text


def test_the_list_shows_every_mail_the_newest_first(world: World) -> None:
    for person in (ANNE, BART, CRIS):
        mail_sent(world, person)
    found = re.findall(r"to (\S+@example\.org)", page(world, "/mailbox"))
    assert found == [CRIS, BART, ANNE]


def test_each_line_leads_to_its_mail(world: World) -> None:
    mail_sent(world, ANNE)
    mail_sent(world, BART)
    urls = re.findall(r'href="(/mailbox/\d+)"', page(world, "/mailbox"))
    assert [BART in page(world, url) for url in urls] == [True, False]


def test_a_mail_is_shown_with_its_head_its_text_and_a_button_for_one_click(world: World) -> None:
    shown = unescape(page(world, mail_sent(world)))
    (mail,) = world.mails()
    assert "Please confirm: Newsletter" in shown
    assert "Newsletter <newsletter@example.org>" in shown
    assert text_of(mail) in shown.replace("\r\n", "\n")
    assert f'action="{link_in(mail, "not-me").removeprefix(world.base_url)}"' in shown


def test_the_button_for_one_click_does_what_a_mail_program_does(world: World) -> None:
    shown = page(world, mail_sent(world))
    button = re.search(r'action="([^"]+)">\s*<input type="hidden" name="([^"]+)" value="([^"]+)"', shown)
    assert button is not None
    assert world.post(button[1], data={button[2]: button[3]}).status_code == 200
    assert world.registrations() == []
    assert copies() == []


def test_the_source_is_the_mail_byte_by_byte_as_plain_text(world: World) -> None:
    answer = world.get(mail_sent(world) + "/source")
    assert answer.data == copies()[0].source
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize("slug", [NEWS, OFFERS])
def test_the_body_may_use_its_own_styles_by_their_hashes_and_nothing_else(world: World, slug: str) -> None:
    url = mail_sent(world, slug=slug)
    answer = world.get(f"{url}/body")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    wanted = {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in Styles(answer.text).found}
    assert {f"'sha256-{one}'" for one in wanted} == set(policy["style-src"].split()) - {"'unsafe-hashes'"}
    assert policy["default-src"] == "'none'"
    assert "unsafe-inline" not in str(policy)
    assert policy["frame-ancestors"] == "'self'"


def test_the_body_is_the_html_of_the_mail_whose_links_leave_the_frame(world: World) -> None:
    body = page(world, mail_sent(world) + "/body")
    (mail,) = world.mails()
    sent = text_of(mail, "html")
    assert body.replace('<base target="_top">', "", 1) == sent
    assert body != sent


def test_markup_in_a_mail_stays_text_in_the_mailbox(world: World) -> None:
    with transaction() as session:
        source = b"From: <b>x</b>\r\nTo: <i>y</i>\r\nSubject: <script>alert(1)</script>\r\n\r\n<script>\r\n"
        mailbox.keep(session, Captured(mail="confirm", source=source, at=world.clock.now(), real_at=Clock.real_now()))
    for path in ("/mailbox", f"/mailbox/{copies()[0].id}"):
        assert not re.search(r"<script>|<b>|<i>", page(world, path))


@each("id_", ["0", "999", "99999999999999999999999", "-1", "x"])
@each("what", ["", "/body", "/source"])
def test_a_mail_that_is_not_there_is_404(world: World, id_: str, what: str) -> None:
    assert world.get(f"/mailbox/{id_}{what}").status_code == 404


@each("path", PAGES)
def test_with_a_real_relay_there_is_no_mailbox(make_app: Callable[..., Flask], path: str) -> None:
    app = make_app(mail=MailSettings(transport="smtp"))
    assert app.test_client().get(path, base_url="http://127.0.0.1:8000").status_code == 404


@each("path", PAGES)
def test_looking_at_the_mailbox_changes_nothing(world: World, path: str) -> None:
    mail_sent(world)
    before = [(one.id, one.state) for one in world.registrations()]
    world.get(path)
    world.client.head(path, base_url=world.base_url)
    assert [(one.id, one.state) for one in world.registrations()] == before
    assert len(copies()) == 1


def test_copies_stay_until_their_registration_is_purged(world: World) -> None:
    mail_sent(world)
    world.clock.forward(days=29, hours=23, minutes=59)
    world.run("purge")
    assert len(copies()) == 1
    world.clock.forward(minutes=1)
    world.run("purge")
    assert copies() == []


def test_the_copies_of_others_stay(world: World) -> None:
    mail_sent(world, ANNE)
    world.clock.forward(days=10)
    mail_sent(world, BART)
    world.clock.forward(days=20)
    world.run("purge")
    assert [str(mail["To"]) for mail in world.mails()] == [BART]


@pytest.mark.parametrize(("minutes", "left"), [(-1, 1), (1, 0)])
def test_copies_are_kept_for_24_hours_of_real_time(world: World, minutes: int, left: int) -> None:
    made = Clock.real_now() - timedelta(hours=24, minutes=minutes)
    with transaction() as session:
        mailbox.keep(
            session, Captured(mail="confirm", source=b"Subject: x\r\n\r\n", at=world.clock.now(), real_at=made)
        )
    world.run("tidy")
    assert len(copies()) == left


def test_the_time_machine_ages_no_copy(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=40)
    world.run("tidy")
    assert len(copies()) == 1
