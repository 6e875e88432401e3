"""The confirmation mail is short, in a fixed order, and says what to do; others say what a native reader would."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.languages import SOURCE
from subscriptions.mail.preview import Previews
from tests.builders import LISTS, Movable, World, parse_mail, text_of
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
TAGS = ["en", "de", "fr", "es"]
WORDING = "Yes, please send me the Newsletter."
CODE = "EXAM-PLE2"
CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=(replace(LISTS[0], wording=WORDING), *(replace(one, welcome=True) for one in LISTS[1:])))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def written(world: World, kind: str, tag: str = "en") -> EmailMessage:
    parts = world.parts
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, world.clock.now())
    return parse_mail(previews.one(kind, parts.catalogue.configured[0], tag).octets)


def read(mail: EmailMessage) -> str:
    """What a person reads of a text: all before the legal notice, but its links, the code and the wording."""
    said = text_of(mail).partition("-" * 70)[0]
    said = re.sub(r"^https?://\S+$", "", said, flags=re.M).replace(CODE, "").replace(WORDING, "")
    return " ".join(said.split())


@each(("tag", "at_most"), [("en", 110), ("de", 125), ("fr", 125), ("es", 125)])
def test_the_confirmation_mail_is_read_in_a_minute(world: World, tag: str, at_most: int) -> None:
    words = read(written(world, "confirm", tag)).split()
    assert at_most // 2 < len(words) <= at_most, len(words)


ORDER = [
    "This email address was signed up:", "List: Newsletter", "Provided by: Example Society", "Time: 23 November 2026",
    "By confirming, you agree to this:", WORDING, "Continue to confirm",
    "If the sign-up page is still open in your browser, opening the link is enough. Or enter this code there:", CODE,
    "Confirm before 24 November 2026", "Otherwise we block the sign-up, and delete it after a month.", "Not you?",
    "We store the time and IP address", "Sent by Example Society",
]  # fmt: skip


@each("kind", ["plain", "html"])
def test_the_confirmation_mail_says_its_things_in_their_order_in_both_parts(world: World, kind: str) -> None:
    said = re.sub("<[^>]+>", " ", re.sub("(?s)<head>.*</head>|<div class=\"preheader\".*?</div>", "",
                                         text_of(written(world, "confirm"), kind)))  # fmt: skip
    said = " ".join(said.split()).replace("NOT YOU?", "Not you?")
    places = [said.find(" ".join(one.split())) for one in ORDER]
    assert -1 not in places and places == sorted(places), [*zip(ORDER, places, strict=True)]


def test_the_heading_of_the_confirmation_mail_says_what_to_do(world: World) -> None:
    for kind, heading in (("confirm", "subscription"), ("confirm_several", "subscriptions")):
        assert re.findall(r"<h1[^>]*>(.*?)</h1>", text_of(written(world, kind), "html")) == [
            f"Please confirm your {heading}"
        ]


@each("tag", TAGS)
def test_only_the_mail_for_one_list_says_that_to_open_the_link_is_enough(world: World, tag: str) -> None:
    enough = {"en": "enough", "de": "genügt", "fr": "suffit", "es": "basta"}[tag]
    assert enough in read(written(world, "confirm", tag))
    for kind in ("confirm_several", "move", "move_several"):
        assert enough not in read(written(world, kind, tag))


@each("kind", sorted(MailKind))
def test_after_a_greeting_with_a_comma_german_goes_on_with_a_small_letter(world: World, kind: str) -> None:
    if not MailKind(kind).row.to_operator:
        text = text_of(written(world, kind, "de"))
        assert re.match(r"Guten Tag [\w ]+,\n\n(?:[a-zäöü]|Sie\b|Ihr|E\u2011Mails\b)", text), text[:80]


@each("tag", TAGS)
def test_no_line_of_a_text_is_longer_than_72_but_links(world: World, tag: str) -> None:
    for kind in MailKind:
        if not kind.row.to_operator:
            lines = text_of(written(world, kind, tag)).split("\n")
            assert [line for line in lines if len(line) > 72 and not line.startswith("http")] == [], kind


def texts(tag: str) -> dict[str, str]:
    """The translations of mails, by their English."""
    with (CATALOGUES / tag / "LC_MESSAGES/messages.po").open("rb") as file:
        rows = [
            row for row in read_po(file) if any("email/" in place or "/mail/" in place for place, _ in row.locations)
        ]
    return {str(row.id): " ".join([row.string] if isinstance(row.string, str) else row.string) for row in rows}


def test_no_text_of_a_mail_breaks_the_word_email_or_says_what_was_found_wrong() -> None:
    wrong = {
        "en": r"\bmails?\b(?! relay)|need not|[Ss]omebody|stored of|closes at|[Tt]o type|whoever",
        "de": r"E-Mail|übertragen|umziehen|Schaltfläche|Sehen Sie in Ihren",
        "fr": r"e-mail|Ce que .* envoyait|pour nous adresser", "es": r"\bAbra sus\b",
    }  # fmt: skip
    for tag, pattern in wrong.items():
        known = texts("de").keys() if tag == SOURCE else texts(tag).values()
        assert [text for text in known if re.search(pattern, text)] == [], tag
