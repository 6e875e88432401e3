"""What the mails say and how they are built, read as the bytes that arrive at a relay."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from flask import Flask

from subscriptions.actions import erase
from subscriptions.domain.address import parse
from tests.builders import ANNE, LISTS, Movable, World, link_in, text_of, through
from tests.read_mails import flat, links_of, page_of
from tests.support.cases import each
from tests.support.relay import Mail, Relay

KINDS = ["confirm", "welcome", "already_subscribed", "erased"]
OWN = "http://127.0.0.1:8000"
POLICY, MY_DATA = "https://example.org/privacy", "http://127.0.0.1:8000/my-data"
FULL = tuple(
    replace(one, welcome=True, controller="Example Society", postal_address="1 Example Street\n12345 Exampletown",
            privacy_contact="privacy@example.org", policy_url=POLICY) for one in LISTS
)  # fmt: skip


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock, lists=FULL) as world:
        yield world


def arrive(world: World, relay: Relay, kind: str) -> bytes:
    """The bytes of a mail of that kind to Anne."""
    world.sign_up(ANNE, name="Anne Example")
    steps: list[Callable[[], object]] = [world.deliver, lambda: confirm(world, relay), lambda: ask_again(world)]
    for step in steps[: 1 + KINDS.index(kind)]:
        step()
    if kind == "erased":
        erase.ask(world.parts.links.key(parse(ANNE).folded), world.clock.now(), world.parts.policy, "the operator")
        world.deliver()
    return relay.mails[-1].raw


def confirm(world: World, relay: Relay) -> None:
    world.post(link_in(relay.mails[0].message, "confirm"))
    world.deliver()


def ask_again(world: World) -> None:
    world.clock.forward(minutes=15)
    world.sign_up(ANNE)
    world.deliver()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@dataclass(frozen=True)
class Parcel:
    mail: Mail
    written_at: datetime


@pytest.fixture(scope="module")
def parcels() -> dict[tuple[str, str], Parcel]:
    """The mails that were sent for earlier tests, by database and kind: to read one nothing need be alive."""
    return {}


Send = Callable[[str], Parcel]


@pytest.fixture
def sent(request: pytest.FixtureRequest, database: str, parcels: dict[tuple[str, str], Parcel]) -> Send:
    """Gives a mail of that kind as it arrived."""

    def found(kind: str) -> Parcel:
        if (database, kind) not in parcels:
            world, relay = request.getfixturevalue("world"), request.getfixturevalue("relay")
            arrive(world, relay, kind)
            parcels[database, kind] = Parcel(relay.mails[-1], world.clock.now())
        return parcels[database, kind]

    return found


@pytest.fixture
def parcel(sent: Send, kind: str) -> Parcel:
    """A mail of each kind."""
    return sent(kind)


@pytest.fixture
def raw(parcel: Parcel) -> bytes:
    return parcel.mail.raw


@pytest.fixture
def mail(parcel: Parcel) -> EmailMessage:
    return parcel.mail.message


@pytest.fixture
def first(sent: Send) -> EmailMessage:
    """A confirmation mail."""
    return sent("confirm").mail.message


@each("name", ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Auto-Submitted"])
def test_each_header_of_a_mail_stands_once(raw: bytes, name: str) -> None:
    head = raw.partition(b"\r\n\r\n")[0]
    assert len(re.findall(rb"(?im)^" + name.encode() + rb":", head)) == 1


def test_lines_end_with_crlf_and_none_is_long(raw: bytes) -> None:
    lines = raw.split(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert max(len(line) for line in lines if not line.startswith(b"List-")) <= 78


def test_a_mail_is_its_text_then_the_same_in_html_and_nothing_attached(mail: EmailMessage) -> None:
    parts = list(mail.iter_parts())
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part.get_content_charset() for part in parts} == {"utf-8"}
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}
    assert not any(part.defects for part in (mail, *parts))


def test_every_link_of_the_text_is_a_link_of_the_html(mail: EmailMessage) -> None:
    assert links_of(mail) == page_of(mail).links


def test_links_lead_to_us_or_to_the_privacy_policy(mail: EmailMessage) -> None:
    assert {urlsplit(link).netloc for link in links_of(mail) - {POLICY}} <= {urlsplit(OWN).netloc}


def test_every_link_of_the_text_stands_on_a_line_of_its_own(mail: EmailMessage) -> None:
    assert links_of(mail) <= set(text_of(mail).split("\n"))


def test_the_html_loads_nothing_and_runs_nothing(mail: EmailMessage) -> None:
    page = page_of(mail)
    assert not page.loads
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object", "svg", "base"}
    assert not re.search(r"url\(|@import|@font-face", text_of(mail, "html"))


def test_the_html_says_its_language_like_the_header(mail: EmailMessage) -> None:
    assert mail["Content-Language"] == "en"
    assert '<html lang="en" dir="ltr">' in text_of(mail, "html")


def test_a_mail_is_small(raw: bytes) -> None:
    assert len(raw) < 30_000


def test_a_mail_says_that_a_machine_wrote_it_and_wants_no_answer(mail: EmailMessage) -> None:
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_a_mail_has_one_recipient(parcel: Parcel) -> None:
    mail = parcel.mail.message
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == (ANNE, None, None)
    assert parcel.mail.recipients == (ANNE,)


def test_the_sender_is_named_alone(mail: EmailMessage) -> None:
    assert str(mail["From"]) == "Newsletter <newsletter@example.org>"


def test_the_message_id_belongs_to_the_sending_domain_and_to_nobody(mail: EmailMessage) -> None:
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", mail["Message-ID"])


def test_the_date_is_the_time_of_writing(parcel: Parcel) -> None:
    assert parcel.mail.message["Date"].datetime == parcel.written_at


def test_the_legal_notice_stands_in_both_parts(mail: EmailMessage) -> None:
    for notice in ("Example Society", "1 Example Street", "12345 Exampletown", "privacy@example.org"):
        assert notice in text_of(mail)
        assert notice in text_of(mail, "html")


def test_both_parts_name_the_same_times(mail: EmailMessage) -> None:
    time = r"\d+ \w+ \d{4}, \d\d:\d\d \(UTC\)"
    assert set(re.findall(time, flat(mail))) == set(re.findall(time, " ".join(page_of(mail).words)))


@each(
    "fact",
    [
        "List: Newsletter", "Provided by: Example Society", "Time: 23 November 2026, 12:00 (UTC)",
        "Confirm before 24 November 2026, 12:00 (UTC).", "receive “Newsletter” from Example Society by e-mail.",
        "By confirming, you agree to this:", "opening the link is enough", "we block the sign-up",
        "delete it after a month", "Ignore this email, or tell us to delete the sign-up now", "IP address",
        "You can unsubscribe at any time.",
    ],
)  # fmt: skip
def test_the_confirmation_mail_says_all_that_the_law_asks_in_both_parts(first: EmailMessage, fact: str) -> None:
    assert fact in flat(first)
    assert fact in " ".join(page_of(first).words)


def test_the_confirmation_mail_asks_and_praises_nothing(first: EmailMessage) -> None:
    assert first["Subject"] == "Please confirm: Newsletter"
    assert not re.search(r"(?i)welcome|thank|follow us|offer|exclusive|free", flat(first))
    assert links_of(first) == {link_in(first, "confirm"), link_in(first, "not-me"), POLICY, MY_DATA}


@pytest.mark.parametrize(
    ("kind", "purpose"), [("confirm", "not-me"), ("welcome", "unsubscribe"), ("already_subscribed", "unsubscribe")]
)
def test_one_click_leads_where_the_link_in_the_mail_leads(mail: EmailMessage, purpose: str) -> None:
    assert mail.get_all("List-Unsubscribe") == [f"<{link_in(mail, purpose)}>"]
    assert mail.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert mail.get_all("List-Id") == ["<newsletter.127.0.0.1>"]


def test_one_click_on_the_confirmation_mail_cancels_and_nobody_is_asked_again(world: World, relay: Relay) -> None:
    arrive(world, relay, "confirm")
    first = relay.mails[-1].message
    answer = world.post(first["List-Unsubscribe"].strip("<>"), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not world.registrations()
    world.clock.forward(hours=1)
    world.sign_up(ANNE)
    assert world.deliver() == 0


@pytest.mark.parametrize("kind", ["erased"])
def test_the_last_mail_offers_nothing_to_leave_and_says_what_stays(mail: EmailMessage) -> None:
    assert mail["List-Unsubscribe"] is None
    assert "Until 1 January 2030, 00:00 (UTC) we keep the proof of your consent" in flat(mail)


@pytest.mark.parametrize("kind", ["welcome"])
def test_the_welcome_mail_repeats_what_was_agreed_to(mail: EmailMessage) -> None:
    assert "You agreed to this: Yes, I would like to receive" in flat(mail)
    assert "Confirmed: 23 November 2026, 12:00 (UTC)" in flat(mail)
