"""A list that addresses its readers as friends: in its mails and on its pages, and nobody of another list."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from subscriptions import languages
from subscriptions.mail.preview import Previews, all_kinds
from subscriptions.mail.rebuild import as_sent, redacted
from subscriptions.settings import ListSettings
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, LISTS, NEWS, OFFERS, Movable, World, parse_mail, text_of, through
from tests.preferences import ask, link_in, session_of
from tests.support.cases import BY_DAY_ON_SQLITE, ONE_DATABASE, each
from tests.support.catalogues import Words
from tests.support.formal import formally
from tests.support.relay import Relay
from tests.typed import visit

pytestmark = BY_DAY_ON_SQLITE
TAGS = ["de", "fr", "es"]
FRIENDLY = {
    "de": r"\b([Dd]u|[Dd]ein\w*|[Dd]ir|[Dd]ich)\b",
    "fr": r"\b([Tt]u|[Tt](on|a|es))\b|\bt’",
    "es": r"\b[Tt]us?\b",
}
PLAIN = tuple(replace(one, wording="W", welcome=True) for one in LISTS)
FAMILIAR = tuple(replace(one, address_form="familiar") for one in PLAIN)
MIXED = (FAMILIAR[0], *PLAIN[1:])
Worlds = Callable[[Sequence[ListSettings]], World]


@pytest.fixture
def worlds(make_app: Callable[..., Flask], clock: Movable) -> Iterator[Worlds]:
    """Makes a world of these lists."""
    contexts = []

    def made(lists: Sequence[ListSettings]) -> World:
        app = make_app(lists=tuple(lists))
        contexts.append(app.app_context())
        contexts[-1].push()
        return World(app, app.test_client(), clock)

    yield made
    for context in reversed(contexts):
        context.pop()


def mails(world: World, tags: Sequence[str] = TAGS) -> Iterator[tuple[str, str, bytes]]:
    """Every kind of mail to people on lists, in each language: language, kind, the mail."""
    parts = world.parts
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, world.clock.now())
    kinds = [name for name, kind in all_kinds().items() if not (kind.row.to_operator or kind.row.to_account)]
    for one in previews.all_of(kinds, parts.catalogue.configured[:1], tags):
        yield one.tag, one.kind, one.octets


def texts(octets: bytes) -> str:
    mail = parse_mail(octets)
    return "\n".join([str(mail["Subject"]), text_of(mail), *Words(text_of(mail, "html")).found])


def is_familiar(text: str, tag: str = "de") -> bool:
    """Whether a text addresses its reader as a friend, which excludes the other form."""
    formal = formally(text, tag)
    friendly = re.search(FRIENDLY[tag], text) is not None
    assert friendly is not bool(formal), (formal, text)
    return friendly


def test_every_mail_of_a_familiar_list_addresses_its_reader_as_a_friend(worlds: Worlds) -> None:
    for tag, kind, octets in mails(worlds(FAMILIAR)):
        assert is_familiar(texts(octets), tag), kind


def test_after_the_greeting_of_a_friend_german_goes_on_with_a_small_letter(worlds: Worlds) -> None:
    for _, kind, octets in mails(worlds(FAMILIAR), ["de"]):
        text = text_of(parse_mail(octets))
        assert re.match(r"Hallo [\w ]+,\n\n(?:[a-zäöü]|E\u2011Mails\b)", text), (kind, text[:80])


def test_without_a_familiar_catalogue_and_without_the_setting_each_mail_is_the_formal_one_byte_for_byte(
    worlds: Worlds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formal, tags = list(mails(worlds(PLAIN), ["en", *TAGS])), ["en", *TAGS]
    assert [octets for tag, _, octets in formal if tag in TAGS and is_familiar(texts(octets), tag)] == []
    shutil.copytree(languages.FOLDER, tmp_path / "t", ignore=shutil.ignore_patterns("familiar.*"))
    monkeypatch.setattr(languages, "FOLDER", tmp_path / "t")
    assert list(mails(worlds(PLAIN), tags)) == list(mails(worlds(FAMILIAR), tags)) == formal


def test_english_has_one_form(worlds: Worlds) -> None:
    assert list(mails(worlds(FAMILIAR), ["en"])) == list(mails(worlds(PLAIN), ["en"]))


def test_a_mail_of_several_lists_is_familiar_only_if_all_of_them_are(worlds: Worlds) -> None:
    forms = {kind: is_familiar(texts(octets)) for _, kind, octets in mails(worlds(MIXED), ["de"])}
    assert (forms["confirm"], forms["confirm_several"]) == (True, False)
    assert not forms["preferences"]  # it speaks for every list


def pages(world: World, query: str = "lang=de") -> Iterator[str]:
    """Of the first list, as Anne comes by them."""
    form = f"/subscribe/{NEWS}"
    yield f"{form}?{query}"
    yield f"/embed/{NEWS}/frame?{query}"
    yield f"{form}/check-inbox?r={visit(world, locale='de')}&{query}"
    yield from (world.confirm_link(), world.not_me_link())
    yield f"/embed/{NEWS}?{query}"


def walked(world: World) -> Iterator[tuple[str, str]]:
    """Pages and what they say, through a whole life."""
    for url in pages(world):
        yield url, world.get(url).text
    yield "wrong", world.post(f"/subscribe/{NEWS}?lang=de", data={"email": "anne@", "locale": "de"}).text
    confirm, not_me = world.confirm_link(), world.not_me_link()
    yield "confirmed", world.post(confirm).text
    yield "leave", world.get(world.leave_link(ANNE)).text
    yield "left", world.post(world.leave_link(ANNE)).text
    yield "disowned", world.post(not_me).text
    yield "undone", world.post(f"{not_me}/undo").text


def own_page(world: World) -> str:
    """The page of one's subscriptions and data, opened."""
    world.subscribe(BART, locale="de")
    ask(world, BART)
    opened = world.post(link_in(world.mails(BART)[-1], "my-data"))
    return opened.text + world.post("/preferences/my/name", data={"session": session_of(opened)}).text


def form_of(world: World, query: str) -> str:
    """All that the script says in its form."""
    return world.get(f"/api/v1/lists/{NEWS}/form?{query}").text.replace('"dir"', "")


def spoken(page: str) -> str:
    return "\n".join(Words(page).found)


@ONE_DATABASE
def test_every_page_of_a_familiar_list_addresses_its_reader_as_a_friend(worlds: Worlds) -> None:
    world = worlds(FAMILIAR)
    for url, page in walked(world):
        assert is_familiar(spoken(page)), url
    assert is_familiar(spoken(own_page(world)))
    assert is_familiar(form_of(world, "lang=de"))


@ONE_DATABASE
def test_pages_of_a_list_that_says_nothing_stay_formal(worlds: Worlds) -> None:
    world = worlds(PLAIN)
    for url, page in walked(world):
        assert not is_familiar(spoken(page)), url
    assert not is_familiar(spoken(own_page(world)))


@ONE_DATABASE
def test_a_page_of_several_lists_is_familiar_only_if_all_of_them_are(worlds: Worlds) -> None:
    both = f"lists={NEWS},{OFFERS}&lang=de"
    for lists, form in ((MIXED, False), (FAMILIAR, True)):
        world = worlds(lists)
        found = [f"/subscribe?{both}", f"/subscribe/{NEWS}/check-inbox?also={OFFERS}&lang=de", "/preferences?lang=de"]
        assert [is_familiar(spoken(world.get(url).text)) for url in found] == [form] * 3
        assert is_familiar(form_of(world, f"lists={OFFERS}&lang=de")) is form


@ONE_DATABASE
@each(("slug", "form"), [(NEWS, True), (OFFERS, False)])
def test_a_program_gets_the_problems_of_an_address_in_the_form_of_its_list(
    worlds: Worlds, slug: str, form: bool
) -> None:
    body = {"email": "", "list": slug}
    wrong = worlds(MIXED).post("/api/v1/subscriptions?lang=de", json=body).json
    assert wrong is not None and "errors" in wrong, wrong
    assert is_familiar(wrong["errors"][0]["detail"]) is form


def test_what_was_sent_is_made_again_byte_for_byte_when_the_list_has_changed_its_form(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    with through(relay, make_app, clock, lists=FAMILIAR) as world:
        world.sign_up(ANNE, locale="de", name="Anne")
        world.deliver()
    with through(relay, make_app, clock, lists=PLAIN) as world:
        world.sign_up(BART, locale="de")
        world.deliver()
        with reading() as session:
            ids = [one.id for one in world.evidence() if one.fact == "mailed"]
            again = [as_sent(session, id_, world.parts.links) for id_ in ids]
            shown = [redacted(session, id_, world.parts.links) for id_ in ids]
    assert again == [mail.raw for mail in relay.mails]
    assert [is_familiar(texts(octets)) for octets in shown if octets] == [True, False]
