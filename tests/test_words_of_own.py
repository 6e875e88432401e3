"""Words of an operator's own stand where somebody has confirmed, and nowhere else."""

from collections.abc import Callable
from dataclasses import replace

from flask import Flask

from subscriptions.domain.prose import Piece, links, paragraphs
from subscriptions.mail.preview import Previews, all_kinds
from subscriptions.settings import ListTexts
from tests.builders import ANNE, LISTS, OFFERS, World
from tests.support.cases import ONE_DATABASE

WORDS = "Good that you are here.\nRead on:\n\nhttps://example.org/first?a=1&b=2 (the first letter)."
LIST = replace(LISTS[1], welcome_text=WORDS, confirmed_text=WORDS, texts={"de": ListTexts(welcome_text="Schön.")})


def test_paragraphs_end_at_empty_lines_and_links_before_the_mark_that_ends_a_sentence() -> None:
    assert paragraphs("\n a b\n \n\n\nc ") == [[Piece("a b", False)], [Piece("c", False)]]
    assert links("See https://a.example/x. And (http://b.example/?q=1), “https://c.example/é”!") == [
        "https://a.example/x", "http://b.example/?q=1", "https://c.example/é",
    ]  # fmt: skip
    assert paragraphs("") == [] and links("javascript:alert(1) ftp://x.example") == []


@ONE_DATABASE
def test_they_stand_in_the_welcome_email_and_on_the_page_after_confirming_and_nowhere_before(
    make_app: Callable[..., Flask], world: World
) -> None:
    with (app := make_app(lists=(LIST,))).app_context():
        here = World(app, app.test_client(), world.clock)
        assert "Good that" not in here.get(f"/subscribe/{OFFERS}").text
        here.sign_up(ANNE, OFFERS)
        link = here.confirm_link(ANNE)
        assert "Good that" not in here.get(link).text and "Good that" not in here.mails(ANNE)[-1].as_string()
        page = here.post(link).text
        assert '<a href="https://example.org/first?a=1&amp;b=2">' in page and "Read on:</p>" in page
        text = here.mails(ANNE)[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert "\nhttps://example.org/first?a=1&b=2\n" in text.replace("\r\n", "\n")


@ONE_DATABASE
def test_no_mail_with_them_holds_anything_that_the_lint_minds(make_app: Callable[..., Flask], world: World) -> None:
    with (app := make_app(lists=(LIST,))).app_context():
        parts = World(app, app.test_client(), world.clock).parts
        previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, world.clock.now())
        found = list(previews.all_of(all_kinds(), parts.catalogue.configured, ["en", "de"]))
        assert [(one.kind, one.tag, one.problems) for one in found if one.problems] == []
        assert [b"Sch=C3=B6n." in one.octets for one in found if one.kind == "welcome"] == [False, True]
