"""Several controllers on one installation: each speaks for its own lists, and what is shared names all of them."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.mail.rebuild import redacted
from subscriptions.store.engine import reading
from tests.builders import ANNE, BART, HIDDEN, NEWS, OFFERS, Movable, World, link_in, owed, text_of, through
from tests.controllers import CLUB, LETTERS, OURS, SOCIETY, TWO_CONTROLLERS
from tests.preferences import Page
from tests.several import ask
from tests.support.cases import BY_DAY_ON_SQLITE, each
from tests.support.relay import Relay

pytestmark = BY_DAY_ON_SQLITE
OF_SOCIETY, OF_CLUB = ("Example Society", "1 Example Street", "society.example/imprint"), ("The Club", "2 Club Road")


@pytest.fixture
def world(make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    app = make_app(lists=TWO_CONTROLLERS)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def named(text: str) -> set[str]:
    """Of which controllers all is said."""
    return {all_of[0] for all_of in (OF_SOCIETY, OF_CLUB, ("Secret Ltd",)) if all(fact in text for fact in all_of)}


@each(
    ("slugs", "sender", "answers", "list_id", "controllers"),
    [
        ([NEWS], SOCIETY, "answers@society.example", True, {"Example Society"}),
        ([NEWS, LETTERS], SOCIETY, "answers@society.example", True, {"Example Society"}),
        ([OFFERS], CLUB, None, True, {"The Club"}),
        ([HIDDEN], OURS, None, True, {"Secret Ltd"}),
        ([NEWS, OFFERS], OURS, None, False, {"Example Society", "The Club"}),
    ],
)
def test_a_mail_comes_from_the_sender_that_all_its_lists_have_else_from_the_common_one(
    world: World, slugs: list[str], sender: str, answers: str | None, list_id: bool, controllers: set[str]
) -> None:
    ask(world, *slugs, address=f"{'-'.join(slugs)}@example.com")
    mail = world.mails()[-1]
    assert (mail["From"].addresses[0].addr_spec, mail["Reply-To"], "List-Id" in mail) == (sender, answers, list_id)
    assert mail["Message-ID"].endswith(f"@{sender.partition('@')[2]}>")
    for kind in ("plain", "html"):
        assert named(text_of(mail, kind)) == controllers
        assert text_of(mail, kind).count("Provided by: ") == len(controllers)
    with reading() as session:  # of each list the same mail is proven, with its sender
        assert all(
            redacted(session, event.id, world.parts.links) for event in world.evidence() if event.fact == "mailed"
        )


def test_mails_about_all_that_is_stored_come_from_the_common_sender_and_name_every_controller(
    relay: Relay, make_app: Callable[..., Flask], clock: Movable
) -> None:
    with through(relay, make_app, clock, lists=TWO_CONTROLLERS) as world:
        world.sign_up(ANNE, OFFERS)
        world.deliver()
        world.post(link_in(relay.mails[0].message, "confirm"))
        world.clock.forward(minutes=15)
        world.post("/preferences", data={"email": ANNE})
        world.deliver()
        world.app.test_cli_runner().invoke(args=["erase", ANNE, "--yes"])
    _, welcome, asked, erased = (mail.message for mail in relay.mails)
    assert welcome["From"].addresses[0].addr_spec == CLUB and named(text_of(welcome)) == {"The Club"}
    for mail in (asked, erased):
        assert mail["From"].addresses[0].addr_spec == OURS and mail["Subject"].endswith(": Newsletter")
        for kind in ("plain", "html"):
            assert named(text_of(mail, kind)) == {"Example Society", "The Club", "Secret Ltd"}
            assert "Hidden" not in text_of(mail, kind)  # of somebody else: its name is nobody's business


def parts_of(page: str) -> tuple[str, str, str]:
    """What it wears, its head and its foot."""
    found = (
        re.search(rf"<{tag}.*?{end}", page, re.S) for tag, end in (("body", ">"), ("header", "</h"), ("footer", "</f"))
    )
    shape, head, foot = (part[0] if part else "" for part in found)
    return shape, re.sub("<[^>]+>", "", head), foot


SHARED = ["/", "/subscribe", "/preferences", "/preferences/sent", "/no/such/page",
          f"/subscribe/{OFFERS}/check-inbox?also={NEWS}", f"/subscribe/{NEWS}/check-inbox?also={OFFERS}"]  # fmt: skip


@each("path", SHARED)
def test_a_page_of_several_controllers_names_each_and_looks_like_none(world: World, path: str) -> None:
    shape, head, foot = parts_of(world.get(path).text)
    assert "Newsletter" in head and "look-" not in shape
    assert named(foot) == {"Example Society", "The Club"}


@each(("path", "who", "head"), [
    (f"/subscribe/{NEWS}", "Example Society", "Society"), (f"/subscribe/{OFFERS}", "The Club", "Club"),
    (f"/subscribe/{NEWS}/check-inbox?also={LETTERS}", "Example Society", "Society"),
    (f"/subscribe/{HIDDEN}", "Secret Ltd", "Newsletter"),
])  # fmt: skip
def test_a_page_of_one_controller_names_that_one_alone(world: World, path: str, who: str, head: str) -> None:
    _, says, foot = parts_of(world.get(path).text)
    assert head in says
    assert [name for name in ("Example Society", "The Club", "Secret Ltd") if name in foot] == [who]


def test_the_pages_of_a_mail_for_several_controllers_name_each(world: World) -> None:
    ask(world, OFFERS, NEWS, address=ANNE)
    mail = world.mails(ANNE)[-1]
    links = [link_in(mail, purpose) for purpose in ("confirm", "not-me")]
    pages = [world.get(link).text for link in links] + [world.post(links[0]).text]
    pages += [world.post(f"{links[1]}").text, world.get(links[0]).text]
    for page in pages:
        shape, _, foot = parts_of(page)
        assert named(foot) >= {"The Club"} and ("Example Society" in foot) and "look-" not in shape


def test_never_write_to_me_again_says_that_it_is_said_to_all(world: World) -> None:
    world.subscribe(ANNE, OFFERS)
    page = Page.of(world, ANNE)
    everybody = "Example Society, The Club, and Secret Ltd"
    assert f"applies to all lists from {everybody} on this service." in page.act("never").text
    assert f"about any list from {everybody}." in page.told("never-surely")
    assert f"applies to all lists from {everybody} on this service." in page.act("show").text
    assert f"applies to all lists from {everybody} on this service." in world.post(world.leave_link(ANNE, OFFERS)).text
    assert "please write to who is responsible" not in page.act("show").text  # one alone has a contact
    assert [one.scope for one in page_suppressions(world, ANNE)] == [SuppressionScope.ALL]


def page_suppressions(world: World, address: str) -> list[object]:
    from subscriptions.actions import preferences
    from tests.preferences import key

    return [*preferences.look(key(world, address), world.clock.now(), world.parts.policy).suppressions]


def test_the_page_after_the_form_tells_whose_mail_to_look_for(world: World) -> None:
    for slug, sender in ((NEWS, SOCIETY), (OFFERS, CLUB), (HIDDEN, OURS)):
        page = world.get(world.sign_up_by_form("anne@gmail.com", slug).location).text
        assert sender in page and not any(other in page for other in {SOCIETY, CLUB, OURS} - {sender})
    told = world.get(f"/api/v1/lists/{OFFERS}/form").json
    assert told and ["Sender", f"Club <{CLUB}>"] in told["inbox"]["facts"]


def test_the_addresses_of_our_lists_are_never_signed_up(world: World) -> None:
    for address in (SOCIETY, CLUB, "answers@society.example", OURS, BART):
        assert world.sign_up(address).status_code == 202
    assert [one.address for one in world.registrations()] == [BART] and len(owed()) == 1


LACKING = {  # no mail is wrong in itself
    'List "offers" has no privacy_contact: its emails need these for the legal notice.',
    'List "hidden" has no postal_address, privacy_contact: its emails need these for the legal notice.',
    'List "offers" has no policy_url: people cannot read the policy they agree to.',
    'List "hidden" has no policy_url: people cannot read the policy they agree to.',
}


def test_mails_can_be_looked_at_and_tried_from_each_sender(world: World) -> None:
    run = world.app.test_cli_runner().invoke
    lint = run(args=["mail", "lint"])
    said = {line for line in lint.stdout.splitlines() if "not translated" not in line}
    assert (lint.exit_code, said) == (1, LACKING)
    for slug, sender in ((NEWS, SOCIETY), (OFFERS, CLUB), (HIDDEN, OURS)):
        shown = run(args=["mail", "preview", "--mail", "confirm", "--language", "en", "--list", slug]).output
        assert f"<{sender}>" in shown
        run(args=["mail", "test", ANNE, "--list", slug])
        assert world.mails(ANNE)[-1]["From"].addresses[0].addr_spec == sender
