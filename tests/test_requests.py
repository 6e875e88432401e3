"""Requests about one's data: made at one's own page or by letter; answered, extended or refused."""

from datetime import date, datetime
from email.message import EmailMessage

import pytest

from subscriptions.domain.requests import due_on, extended_until
from subscriptions.store import requests as rows
from subscriptions.store.engine import reading
from subscriptions.store.models import Request
from tests.builders import ANNE, NEWS, World, rows_of_every_table, text_of
from tests.preferences import Page, key
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE
PRIVACY = "privacy@example.org"


@each(
    ("received", "due", "extended"),
    [
        ("2026-11-23", "2026-12-23", "2027-02-23"), ("2026-01-31", "2026-02-28", "2026-04-30"),
        ("2028-01-31", "2028-02-29", "2028-04-30"), ("2026-11-30", "2026-12-30", "2027-02-28"),
        ("2026-12-31", "2027-01-31", "2027-03-31"),
    ],
)  # fmt: skip
def test_a_month_ends_on_the_same_day_or_the_last_that_there_is(received: str, due: str, extended: str) -> None:
    day = datetime.fromisoformat(received)
    assert (due_on(day), extended_until(day)) == (date.fromisoformat(due), date.fromisoformat(extended))


def flat(mail: EmailMessage) -> str:
    return " ".join(text_of(mail).split())


def stored(world: World) -> Request:
    with reading() as session:
        [row] = [*rows.waiting(session), *rows.settled(session, None, 9)]
        return row


def written(world: World, words: str = "What is <b>this</b>?") -> Page:
    """Anne's page, from which she has written."""
    world.subscribe(ANNE, name="Anne")
    page = Page.of(world, ANNE)
    page.told("write", kind="complaint", words=words, list=NEWS)
    world.deliver()
    return page


def test_words_are_kept_numbered_acknowledged_and_told_to_the_contact_without_them(world: World) -> None:
    page = written(world)
    row = stored(world)
    assert (row.kind, row.words, row.key, row.address) == ("complaint", "What is <b>this</b>?", key(world, ANNE), ANNE)
    assert (row.due_on, row.channel) == (date(2026, 12, 23), "preferences")
    receipt = world.mails(ANNE)[-1]
    assert receipt["Subject"] == "We have your request: Example Society"
    assert f"number {row.id}. We will answer it by 23 December 2026." in flat(receipt)
    [told] = world.mails(PRIVACY)
    assert f"/admin/requests/{row.id}\n" in text_of(told) and "this" not in text_of(told).replace("this email", "")
    for part in ("plain", "html"):
        assert "<b>" not in text_of(told, part) and ANNE not in text_of(told, part)
    shown = page.act("show").text
    assert "What is &lt;b&gt;this&lt;/b&gt;?" in shown and f"Request no.\xa0{row.id}" in shown


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"words": " "}, "Please write"), ({"words": "x" * 5001}, "5001 characters"), ({"words": "a\0b"}, "not allowed"),
     ({"kind": "erasure"}, "what it is about"), ({"kind": ""}, "what it is about")],
    ids=["empty", "long", "NUL", "done at once", "none"],
)  # fmt: skip
def test_what_cannot_be_taken_is_told_and_stays_in_the_form(world: World, wrong: dict[str, str], said: str) -> None:
    world.subscribe(ANNE)
    page, before = Page.of(world, ANNE), None
    before = rows_of_every_table()
    answer = page.act("write", **({"kind": "other", "words": "Hello", "list": NEWS} | wrong))
    assert answer.status_code == 422 and said in answer.text and rows_of_every_table() == before
    assert wrong.get("words", "Hello").strip("\0 ")[:40] in answer.text


def test_a_hundred_kilobytes_are_refused_with_a_page_that_says_so(world: World) -> None:
    world.subscribe(ANNE)
    answer = Page.of(world, ANNE).act("write", kind="other", words="x" * 100_000)
    assert answer.status_code == 413 and "too large" in answer.text and world.count(Request) == 0


def test_more_than_five_a_day_wait_for_the_next(world: World) -> None:
    page = written(world)
    answers = [page.act("write", kind="other", words="Again", list=NEWS).status_code for _ in range(5)]
    assert answers == [200] * 4 + [422] and world.count(Request) == 5


def test_who_may_not_know_of_a_list_cannot_write_to_its_controller(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    assert page.act("write", kind="other", words="Hello", list="hidden").status_code == 404
    assert page.act("never-surely", list="hidden").status_code == 404 and world.count(Request) == 0


def test_what_was_typed_in_a_visit_that_ran_out_is_shown_once_more(world: World) -> None:
    world.subscribe(ANNE)
    page = Page.of(world, ANNE)
    world.clock.forward(minutes=30)
    answer = page.act("write", kind="other", words="A long <i>story</i>", list=NEWS)
    assert answer.status_code == 410 and "A long &lt;i&gt;story&lt;/i&gt;" in answer.text
    assert "was not sent" in answer.text and world.count(Request) == 0
