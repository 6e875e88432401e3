"""An erasure says exactly what stays and until when: no sentence without its rows, no row without its sentence."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.store.engine import reading
from subscriptions.store.models import Address, Audit, Evidence, Registration, Subscription, Suppression
from tests.builders import ANNE, NEWS, OFFERS, Movable, World, link_in, text_of, through
from tests.preferences import Page
from tests.support.cases import each
from tests.support.relay import Relay
from tests.test_mailbox_before import as_before
from tests.test_mailbox_key import TAGGED

NOTHING = "We keep nothing about you."
SENTENCES = {  # by what is stored
    "proof": "Until {} we keep the proof of your consent",
    "mails": "Until {} we keep the times of our last emails",
    "all": "No list here emails your address any more.",
    "confirmations": "We send no more confirmation emails to your address.",
    "audit": "Until all of this is gone, we also keep a record of who looked at or changed your data here",
    "confirmations for a list": "Until {} we send no confirmation emails for Newsletter to your address.",
}


@pytest.fixture
def world(relay: Relay, make_app: Callable[..., Flask], clock: Movable) -> Iterator[World]:
    with through(relay, make_app, clock) as world:
        yield world


def key(world: World, who: str) -> bytes:
    return world.parts.links.key(parse(who).folded)


def waits(world: World, relay: Relay, who: str) -> None:
    world.sign_up(who, name="Anne")
    world.deliver()


def is_blocked(world: World, relay: Relay, who: str) -> None:
    waits(world, relay, who)
    world.clock.forward(days=2)
    world.run("block")


def subscribes(world: World, relay: Relay, who: str, slug: str = NEWS) -> None:
    world.sign_up(who, slug, name="Anne")
    world.deliver()
    assert world.post(link_in(relay.mails[-1].message, "confirm")).status_code == 200
    world.clock.forward(days=1)
    world.deliver()


def has_left(world: World, relay: Relay, who: str) -> None:
    subscribes(world, relay, who)
    world.post(world.leave_link(who))
    world.clock.forward(days=60)


def is_never_asked(world: World, relay: Relay, who: str) -> None:
    subscribes(world, relay, who)
    suppressed(world, who, SuppressionScope.CONFIRMATIONS)


def is_never_mailed(world: World, relay: Relay, who: str) -> None:
    subscribes(world, relay, who)
    suppressed(world, who, SuppressionScope.ALL)


def suppressed(world: World, who: str, scope: SuppressionScope) -> None:
    suppress.suppress(key(world, who), scope, "by letter", world.clock.now(), world.parts.policy, "the operator")


def reports_one_list(world: World, relay: Relay, who: str) -> None:
    waits(world, relay, who)
    world.post(link_in(relay.mails[-1].message, "not-me"), data={"List-Unsubscribe": "One-Click"})
    world.clock.forward(days=1)
    world.sign_up(who, OFFERS)
    world.deliver()


def has_two_lists(world: World, relay: Relay, who: str) -> None:
    """The older one ends with the erasure, and the newer one has ended years before."""
    subscribes(world, relay, who, OFFERS)
    subscribes(world, relay, who, NEWS)
    world.post(world.leave_link(who))
    world.clock.forward(days=800)


LIVES = [
    waits, is_blocked, subscribes, has_left, is_never_asked, is_never_mailed, reports_one_list, has_two_lists,
]  # fmt: skip


def erased(world: World, who: str) -> Result:
    """By the command, which ends the sender of its process."""
    result = world.app.test_cli_runner().invoke(args=["erase", who, "--yes"])
    world.parts.sender.begin_anew()
    return result


def stored(world: World, who: str) -> dict[str, str | None]:
    """What is there of the address after all, and until when: from the rows."""
    now, found, mine = world.clock.now(), dict[str, str | None](), key(world, who)
    with reading() as session:
        assert not session.scalar(sa.select(Evidence.ip).where(Evidence.ip.is_not(None)))
        for table in (Registration, Subscription):
            assert not session.scalars(sa.select(table).where(table.key == mine, table.address.is_not(None))).all()
        proofs = session.scalars(sa.select(Subscription.proof_until).where(Subscription.key == mine)).all()
        known, row = session.scalars(sa.select(Suppression).where(Suppression.key == mine)), session.get(Address, mine)
        if proofs:
            found["proof"] = time(max(filter(None, proofs)))
        if row and row.last_mail_at and (until := row.last_mail_at + timedelta(days=30)) > now:
            found["mails"] = time(until)
        for one in known:
            found[f"{one.scope} for a list" if one.list_id else one.scope.value] = one.until and time(one.until)
        assert not row or not row.asked
        if session.scalar(sa.select(Audit.id).where(Audit.about == mine).limit(1)):
            found["audit"] = None
    return found


def time(at: object) -> str:
    from subscriptions.clock import words

    return words(at)  # type: ignore[arg-type]


def expected(found: dict[str, str | None]) -> set[str]:
    return {SENTENCES[what].format(until) for what, until in found.items()} or {NOTHING}


def said(text: str) -> set[str]:
    """The sentences of that kind which stand in a text, with times as commands write them."""
    text = " ".join(re.sub("</?time[^>]*>", "", text).split()).replace("(UTC)", "UTC")
    at = r"\d+ \w+ \d{4}, \d\d:\d\d UTC"
    forms = [re.escape(one).replace(r"\{\}", at) for one in (*SENTENCES.values(), NOTHING)]
    return {found for form in forms for found in re.findall(form, text)}


@each("life", LIVES)
def test_mail_and_command_say_what_is_stored_afterwards(world: World, relay: Relay, life: Callable[..., None]) -> None:
    who = f"{life.__name__}@example.org"
    life(world, relay, who)
    relay.forget()
    output = erased(world, who).output
    mail = relay.mails[-1].message
    for text in (output, text_of(mail), re.sub(r"<[^>]+>", "", text_of(mail, "html"))):
        assert said(text) == expected(stored(world, who))
    assert ("Erased" in output and said(output) - {NOTHING}) or life in (waits, is_blocked)


@pytest.mark.parametrize("later", [False, True], ids=["to this spelling alone", "to another one later"])
def test_the_times_of_all_mails_to_a_mailbox_count_also_of_who_signed_up_before_0_4_0(
    world: World, relay: Relay, later: bool
) -> None:
    subscribes(world, relay, TAGGED)
    as_before(world)
    if later:
        waits(world, relay, ANNE)
    output = erased(world, TAGGED).output
    mail = text_of(next(one.message for one in relay.mails[::-1] if one.message["To"] == TAGGED))
    stays = f"Until {'24' if later else '23'} December 2026, 12:00 UTC we keep the times of our last emails"
    assert stays in said(output) & said(mail)


def test_the_operator_is_told_what_is_stored_of_an_address_without_a_person(world: World) -> None:
    answer = erased(world, ANNE)
    assert (answer.exit_code, answer.output) == (1, "Error: Nothing is stored about this address.\n")
    suppressed(world, ANNE, SuppressionScope.ALL)
    answer = erased(world, ANNE)
    assert (answer.exit_code, said(answer.output)) == (1, expected(stored(world, ANNE)))
    assert "no sign-up or subscription to erase" in answer.output


def test_the_owners_page_says_the_same_before_and_after(make_app: Callable[..., Flask], clock: Movable) -> None:
    app = make_app()
    with app.app_context():
        world = World(app, app.test_client(), clock)
        world.subscribe(ANNE)
        page, now, policy = Page.of(world, ANNE), world.clock.now(), world.parts.policy
        assert said(page.act("show").text) == set()
        erase.ask(key(world, ANNE), now, policy, "the operator")
        before = said(page.act("show").text)
        erase.finish(key(world, ANNE), now, policy)
        assert before == said(page.act("show").text) == expected(stored(world, ANNE)) != {NOTHING}
        assert "We do not store your address." in page.act("show").text


def test_a_stranger_reads_the_same_whatever_is_stored(world: World, relay: Relay) -> None:
    answers = []
    for life in (waits, has_left, is_never_mailed):
        life(world, relay, who := f"{life.__name__}@example.org")
        erased(world, who)
    for who in ("nobody", "waits", "has_left", "is_never_mailed"):
        asked = world.post("/preferences", data={"email": f"{who}@example.org"})
        signed = world.sign_up(f"{who}@example.org")
        answers.append((asked.status_code, asked.location, signed.status_code, sorted(signed.json or {})))
    assert len(set(map(str, answers))) == 1
