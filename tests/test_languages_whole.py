"""Nothing English is left in a page or a mail of another language, and a mail is made again in its own."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from itertools import chain
from pathlib import Path

import pytest
from flask import Flask

from subscriptions import languages
from subscriptions.actions import erase
from subscriptions.domain.address import parse
from subscriptions.mail.rebuild import as_sent
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Evidence
from tests.builders import ANNE, BART, LISTS, OFFERS, Movable, World, link_in, text_of, through
from tests.support.cases import BY_DAY_ON_SQLITE
from tests.support.catalogues import Words, bracketed, outside
from tests.support.relay import Relay

pytestmark = BY_DAY_ON_SQLITE

TAG = "ar"
ARABIC = tuple(
    replace(one, locale=TAG, name="N1", description="N2", wording="N3", controller="N4", postal_address="N5",
            privacy_contact="N6", policy_url="https://n.example/7", welcome=True) for one in LISTS
)  # fmt: skip
DATA = re.compile(
    r"[0-9A-Z]{4}-[0-9A-Z]{4}|N\d|Newsletter|[\w.+-]+@[\w.]+|https?://\S+|UTC|العربية|English|\d+|confirm\b|deliver|block|purge"
)
IN_ARABIC_DATES = re.compile(r"[\u0600-\u06ff]+")


@pytest.fixture(autouse=True)
def arabic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "FOLDER", bracketed(tmp_path / "translations", TAG))


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=ARABIC)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def left(text: str) -> list[str]:
    """The words that no translation has reached."""
    return re.findall(r"[^\W\d_]+", IN_ARABIC_DATES.sub(" ", DATA.sub(" ", outside(text))))


def asking(world: World) -> Iterator[str]:
    form = f"/subscribe/{OFFERS}"
    yield from ("/", form, f"{form}/check-inbox", "/mailbox/", "/nowhere", "/confirm/not-a-token")
    for wrong in ({"email": "", "name": "x" * 101, "wording": "x"}, {"email": "x", "website": "x", "name": "\x00"},
                  {"email": ANNE, "website": "x"}, {"email": [ANNE, BART]}, {"email": ANNE, "locale": "x_"},
                  {"email": "x" * 70_000}):  # fmt: skip
        yield world.post(form, data=wrong).text


def acting(world: World) -> Iterator[str]:
    """Addresses and pages of what happens after a sign-up, in its order."""
    world.sign_up(ANNE)
    confirm, not_me = world.confirm_link(), world.not_me_link()
    yield from (confirm, not_me, "/mailbox/", "/mailbox/1", "/mailbox/1/body")
    yield world.post(confirm).text
    yield from (confirm, world.leave_link(ANNE))
    yield world.post(world.leave_link(ANNE)).text
    yield confirm
    yield world.post(not_me).text
    yield world.post(f"{not_me}/undo").text
    world.sign_up(BART)
    late = world.confirm_link(BART)
    for step in ("1h", "24h", "1month"):
        yield world.get(world.post("/mailbox/clock", data={"forward": step}).location).text
        yield late


def test_no_page_says_anything_that_cannot_be_translated(world: World) -> None:
    for told in chain(asking(world), acting(world)):
        page = told if told.startswith("<") else world.get(told).text
        page = re.sub(r"(</summary>).*?(</details>)", r"\1\2", page, flags=re.S)  # the headers of a mail
        assert '<html lang="ar" dir="rtl">' in page
        assert left("".join(Words(page).found)) == [], told[:100]


@pytest.fixture
def sending(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock, lists=ARABIC) as world:
        yield world


def one_of_each(world: World, relay: Relay) -> list[EmailMessage]:
    """The mails of a life: confirm, welcome, already subscribed, erased."""
    world.sign_up(ANNE, name="Anne")
    world.deliver()
    world.post(link_in(relay.mails[0].message, "confirm"))
    world.deliver()
    world.clock.forward(minutes=15)
    world.sign_up(ANNE)
    world.deliver()
    erase.ask(world.parts.links.key(parse(ANNE).folded), world.clock.now(), world.parts.policy, "the operator")
    world.deliver()
    return [one.message for one in relay.mails]


def made_again(world: World) -> list[bytes | None]:
    with reading() as session:
        ids = [one.id for one in world.evidence() if one.fact == "mailed"]
        return [as_sent(session, id_, world.parts.links) for id_ in ids]


def test_no_mail_says_anything_that_cannot_be_translated(sending: World, relay: Relay) -> None:
    sent = one_of_each(sending, relay)
    assert len(sent) == 4
    for mail in sent:
        page = text_of(mail, "html")
        assert mail["Content-Language"] == TAG
        assert '<html lang="ar" dir="rtl">' in page
        for said in (str(mail["Subject"]), text_of(mail), "".join(Words(page).found)):
            assert "⟦" in said and left(said) == []


def test_no_line_of_a_text_is_long_unless_it_is_a_link(sending: World, relay: Relay) -> None:
    for mail in one_of_each(sending, relay)[:-1]:  # what stays after an erasure is one value
        long = [line for line in text_of(mail).split("\n") if len(line) > 72]
        assert all(re.fullmatch(r"https?://\S+", line) for line in long)
        assert not re.search(r"[ \t]$", text_of(mail), re.M)


def test_a_mail_in_another_language_is_made_again_byte_for_byte(sending: World, relay: Relay) -> None:
    one_of_each(sending, relay)
    assert made_again(sending) == [mail.raw for mail in relay.mails]
    assert {one.details["locale"] for one in sending.evidence() if one.fact == "mailed"} == {TAG}


def test_a_mail_that_was_sent_in_english_stays_so_when_its_language_is_added_later(
    sending: World, relay: Relay, make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(languages, "FOLDER", tmp_path)
        with through(relay, make_app, sending.clock, lists=ARABIC) as world:
            world.sign_up(ANNE)
            world.deliver()
    assert "⟦" not in text_of(relay.mails[0].message)
    assert made_again(sending) == [relay.mails[0].raw]


def test_evidence_from_before_there_were_languages_is_of_a_mail_in_english(sending: World, relay: Relay) -> None:
    sending.sign_up(ANNE, locale="en")
    sending.deliver()
    sent = next(one for one in sending.evidence() if one.fact == "mailed")
    older = {name: value for name, value in sent.details.items() if name != "locale"}
    with transaction() as session:
        session.add(
            Evidence(registration_id=sent.registration_id, fact="mailed", at=sent.at, channel="relay", details=older)
        )
    assert made_again(sending) == [relay.mails[0].raw] * 2


def test_mails_of_one_list_speak_the_language_of_each_sign_up(sending: World, relay: Relay) -> None:
    for address, locale in ((ANNE, "ar"), (BART, "en"), ("cris@example.org", "pl"), ("dora@example.org", "en-GB")):
        sending.sign_up(address, locale=locale)
    sending.deliver()
    spoken = {mail.recipients[0]: mail.message["Content-Language"] for mail in relay.mails}
    assert spoken == {ANNE: "ar", BART: "en", "cris@example.org": "ar", "dora@example.org": "en"}
