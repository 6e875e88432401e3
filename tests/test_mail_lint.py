"""The lint reads mails as they leave: each forbidden thing is found, and an honest mail is left alone (C-01, M-12)."""

import pytest

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.mail.compiled_mails import compile_letter, folded
from subscriptions.mail.lint import OCTETS_AT_MOST, Expected, problems
from tests.support.cases import each

OURS, POLICY = "https://news.example.org", "https://example.org/privacy"
CONFIRM = MailKind.CONFIRM
LINK = f"{OURS}/confirm/abc"
EXPECTED = Expected(
    OURS, frozenset({POLICY}), {"which list": "The Example Letter", "where": "1 Example Street\n12345 Exampletown"}
)
TEXT = f"""The Example Letter asks. Open this link:

{LINK}

1 Example Street
12345 Exampletown
{POLICY}
"""
PAGE = (
    f'<html lang="en"><body><p>The Example <b>Letter</b> asks. <a href="{LINK}">Confirm</a></p>'
    f'<p>1 Example Street<br>12345 Exampletown <a href="{POLICY}">Privacy policy</a></p></body></html>'
)
PICTURE = f'<img src="{OURS}/lists/newsletter/logo?v=1" alt="The Example Letter" width="96" height="48">'


def told(
    text: str = TEXT,
    page: str = PAGE,
    subject: str = "Please confirm",
    mail: MailKind = CONFIRM,
    lang: str = "en",
) -> list[str]:
    headers = {"From": "a@example.org", "Subject": folded("Subject", subject), "Content-Language": lang}
    return list(problems(mail, compile_letter(headers, {}, text, page).fill({}), EXPECTED))


def with_more(html: str) -> str:
    return PAGE.replace("</body>", f"{html}</body>")


def test_an_honest_mail_is_left_alone() -> None:
    assert told() == []


@each("tag", ["script", "iframe", "object", "embed", "form", "video", "audio", "svg", "link", "base"])
def test_an_element_that_no_mail_needs_is_found(tag: str) -> None:
    assert told(page=with_more(f"<{tag}></{tag}>")) == [f"it holds <{tag}>, which mails do not need"]


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://tracker.example/pixel.gif" alt="x" width="1" height="1">',
        f'<table background="{OURS}/paper.png"></table>', '<p ping="https://tracker.example/">x</p>',
        '<source srcset="https://tracker.example/pixel.gif">',
    ],
)  # fmt: skip
@pytest.mark.parametrize("mail", [MailKind.CONFIRM, MailKind.WELCOME])
def test_a_remote_resource_is_found_in_every_mail(mail: MailKind, html: str) -> None:
    assert any("it loads" in one for one in told(page=with_more(html), mail=mail))


@pytest.mark.parametrize("css", ["background: url(x.png)", "@import 'x.css'", "@font-face { }", "list-style: URL(x)"])
def test_a_style_that_loads_something_is_found(css: str) -> None:
    assert told(page=with_more(f"<style>p {{ {css} }}</style>")) == ["its style loads something"]


@pytest.mark.parametrize("mail", sorted(MailKind))
def test_our_own_picture_may_stand_in_the_welcome_mail_alone(mail: MailKind) -> None:
    found = told(page=with_more(PICTURE), mail=mail)
    assert bool(found) is (mail is not MailKind.WELCOME)
    assert all("only a welcome mail may show a picture" in one for one in found)


@pytest.mark.parametrize("without", [' alt="The Example Letter"', ' width="96"', ' height="48"'])
def test_a_picture_has_a_text_and_a_size(without: str) -> None:
    page = with_more(PICTURE.replace(without, ""))
    assert told(page=page, mail=MailKind.WELCOME) == ["it shows a picture without a text for it or without its size"]


@pytest.mark.parametrize("link", ["https://shop.example/", f"{OURS}.evil.example/x", "http://news.example.org/x"])
def test_a_link_to_anywhere_else_is_found(link: str) -> None:
    found = told(text=f"{TEXT}\n{link}\n", page=with_more(f'<a href="{link}">x</a>'))
    assert found == [f"it links to {link}, which is neither ours nor the privacy policy"]


def test_a_link_that_one_part_lacks_is_found() -> None:
    more = f"{OURS}/not-me/abc"
    assert told(page=with_more(f'<a href="{more}">x</a>')) == [f"its text lacks a link of its page: {more}"]
    assert told(text=f"{TEXT}\n{more}\n") == [f"its page lacks a link of its text: {more}"]


def test_a_link_within_a_sentence_of_the_text_is_found() -> None:
    found = told(text=TEXT.replace(f"\n\n{LINK}", f" {LINK}"))
    assert found == [f"in its text a link does not stand on a line of its own: {LINK}"]


@pytest.mark.parametrize("subject", ["Re: hello", "FWD: hello", "Fw: hello", "AW: hallo", "WG: hallo", "TR : salut"])
def test_a_subject_that_poses_as_an_answer_is_found(subject: str) -> None:
    assert told(subject=subject) == [f'the subject "{subject}" looks like an answer or a forwarded mail']


@pytest.mark.parametrize(("length", "good"), [(78, True), (79, False)])
def test_a_long_subject_is_found(length: int, good: bool) -> None:
    assert (told(subject="ü" * length) == []) is good


def test_a_subject_may_begin_like_an_answer_and_be_none() -> None:
    assert told(subject="Reading circle: please confirm") == []


def test_a_large_mail_is_found() -> None:
    (found,) = told(text=TEXT + "word " * (OCTETS_AT_MOST // 5))
    assert f"at most {OCTETS_AT_MOST}" in found


def test_a_mail_whose_page_speaks_another_language_than_its_head_is_found() -> None:
    assert told(lang="de") == ['its page says the language is "en", its head "de"']


@pytest.mark.parametrize(("part", "said"), [("text", TEXT), ("page", PAGE)])
@pytest.mark.parametrize(("name", "fact"), [("which list", "Letter"), ("where", "12345 Exampletown")])
def test_a_fact_that_one_part_does_not_say_is_found(part: str, said: str, name: str, fact: str) -> None:
    without = said.replace(fact, "")
    (found,) = told(text=without) if part == "text" else told(page=without)
    assert found.startswith(f"its {part} does not say {name}: ")


def test_a_mail_with_more_than_its_two_parts_is_found() -> None:
    octets = b"Subject: x\r\nContent-Language: en\r\nContent-Type: text/html\r\n\r\n" + PAGE.encode()
    assert "it is not a text and the same in HTML, and nothing more" in list(problems(CONFIRM, octets, EXPECTED))
