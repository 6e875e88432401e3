"""How mails look: the design's colours with the list's own, written into each element; a picture in one mail alone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask

from subscriptions.domain.mail_kinds import MailKind
from subscriptions.look.shades import palette
from subscriptions.mail.preview import Previews
from subscriptions.mail.rebuild import as_sent
from subscriptions.store.engine import reading
from tests.builders import ANNE, LISTS, NEWS, OFFERS, World, parse_mail, text_of
from tests.conftest import ManualClock
from tests.support.cases import ONE_DATABASE, each
from tests.test_look_pictures import FILES

COLOUR = "#7b2cbf"
MAILS = list(MailKind)


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: ManualClock, tmp_path: Path) -> Iterator[World]:
    """A newsletter in violet with a logo, offers with a drawing."""
    for name in ("logo.png", "box.svg"):
        (tmp_path / name).write_bytes(FILES[name])
    news = replace(LISTS[0], colour=COLOUR, logo="logo.png", welcome=True)
    app = make_app(lists=(news, replace(LISTS[1], logo="box.svg"), *LISTS[2:]))
    with app.app_context():
        yield World(app, app.test_client(), clock)


def page(world: World, mail: MailKind, slug: str = NEWS) -> str:
    return text_of(written(world, mail, slug), "html")


def written(world: World, mail: MailKind, slug: str = NEWS) -> EmailMessage:
    parts = world.parts
    row = parts.catalogue.by_slug(slug)
    assert row is not None
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, parts.clock.now())
    return parse_mail(previews.one(mail.value, row, "en").octets)


@ONE_DATABASE
@each("mail", MAILS)
def test_what_a_mail_looks_like_stands_in_its_elements_and_the_head_keeps_nights_and_phones(
    world: World, mail: MailKind
) -> None:
    html = page(world, mail)
    head = re.findall(r"<style>(.*?)</style>", html, re.S)
    outside = re.sub(r"@media [^{]+\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", "".join(head))
    assert outside.strip() == ""
    assert "".join(head).count("@media") == 2
    assert not re.search(r"<(?:p|h1|h2|a|td)(?![^>]*\sstyle=)[^>]*>", html.partition("<body")[2])


@pytest.mark.parametrize(("slug", "colour"), [(NEWS, COLOUR), (OFFERS, "")])
def test_a_mail_wears_the_colours_of_its_list_by_day_and_at_night(world: World, slug: str, colour: str) -> None:
    html = page(world, MailKind.CONFIRM, slug)
    head, _, body = html.partition("<body")
    day, night = palette(colour, "light"), palette(colour, "dark")
    for name in ("paper", "card", "ink", "soft", "line", "accent", "on_accent"):
        assert day[name] in body, name
        assert night[name] in head, name
    assert '<meta name="color-scheme" content="light dark">' in head


@ONE_DATABASE
@each("mail", MAILS)
@each("slug", [NEWS, OFFERS])
def test_only_a_welcome_mail_shows_the_logo_and_only_one_that_every_program_can_draw(
    world: World, mail: MailKind, slug: str
) -> None:
    pictures = re.findall(r"<img [^>]*>", page(world, mail, slug))
    assert bool(pictures) is (mail is MailKind.WELCOME and slug == NEWS)


def test_the_logo_of_a_welcome_mail_is_ours_the_same_for_everyone_and_has_its_text_and_size(world: World) -> None:
    (picture,) = re.findall(r"<img [^>]*>", page(world, MailKind.WELCOME))
    about = dict(re.findall(r'(\w+)="([^"]*)"', picture))
    assert re.fullmatch(rf"{world.base_url}/lists/{NEWS}/logo\?v=[0-9a-f]{{12}}", about["src"])
    assert (about["alt"], about["width"], about["height"]) == ("Newsletter", "149", "48")
    assert world.get(about["src"]).data == FILES["logo.png"]


@ONE_DATABASE
@each("mail", MAILS)
def test_a_mail_reads_well_without_its_styles_and_pictures(world: World, mail: MailKind) -> None:
    html = page(world, mail)
    plain = re.sub(r"<style>.*?</style>|\sstyle=\"[^\"]*\"", "", html, flags=re.S)
    assert len(re.findall(r"<h1>", plain)) == 1
    assert all('role="presentation"' in one for one in re.findall(r"<table[^>]*>", plain))
    assert not re.search(r"<(?:font|center)\b", plain)
    assert len(re.findall(r"<p>", plain)) >= 3


def test_a_mail_with_a_look_is_made_again_byte_by_byte(world: World) -> None:
    world.subscribe(ANNE)
    world.deliver()
    with reading() as session:
        kept = [one for one in world.evidence() if one.fact == "mailed"]
        assert {one.details["mail"] for one in kept} == {"confirm", "welcome"}
        assert all(as_sent(session, one.id, world.parts.links) for one in kept)


def test_styles_are_written_once_for_a_letter_and_not_for_each_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from subscriptions.mail import style

    times: list[str] = []
    inlined = style.inlined
    monkeypatch.setattr(style, "inlined", lambda html: times.append(html) or inlined(html))
    for number in range(5):
        world.sign_up(f"reader{number}@example.org")
    assert len(world.mails()) == 5
    assert len(times) == 1
