"""Mailboxes of rows that were made before 0.4.0, when each spelling was known by its own key alone."""

import sqlalchemy as sa

from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Address, Registration, Subscription, Suppression
from tests.builders import World
from tests.preferences import ask
from tests.test_mailbox_key import OTHER, TAGGED, command, keys, standing


def as_before(world: World) -> None:
    """What is signed up names no mailbox, and the times of its mails stand at the spelling."""
    key, mailbox = keys(world, TAGGED)
    with transaction() as session:
        for table in (Registration, Subscription):
            session.execute(sa.update(table).values(mailbox=None))
        session.execute(sa.delete(Address).where(Address.key == key))
        session.execute(sa.update(Address).where(Address.key == mailbox).values(key=key))


def test_what_stood_for_a_spelling_goes_on_for_it(world: World) -> None:
    (key, mailbox), now = keys(world, TAGGED), world.clock.now()
    assert mailbox
    with transaction() as session:
        for one, whose in ((key, key), (keys(world, "bart@example.org")[0],) * 2):
            row = {"scope": "confirmations", "reason": "this was not me", "set_at": now}
            session.add(Suppression(key=one, mailbox=whose, **row))
    for address in (TAGGED, OTHER, "bart+x@example.org"):
        world.sign_up(address)
    assert [row.address for row in world.registrations()] == [OTHER]


def test_times_that_were_kept_for_a_spelling_count_in_the_budget_of_its_mailbox(world: World) -> None:
    _, mailbox = keys(world, TAGGED)
    world.sign_up(TAGGED)
    as_before(world)
    world.sign_up(TAGGED)
    world.clock.forward(minutes=15)
    for _ in range(4):
        world.sign_up(TAGGED)
        world.clock.forward(minutes=15)
    assert len(world.mails(TAGGED)) == 3
    with reading() as session:
        sent = session.get_one(Address, mailbox).mails
    assert len(sent.split(",")) == len(set(sent.split(","))) == 3


def test_an_old_token_that_carries_one_key_still_works(world: World) -> None:
    world.subscribe(TAGGED)
    [row], links = world.registrations(), world.parts.links
    token = links.session_token(row.key)
    assert TAGGED in world.post("/preferences/my/show", data={"session": token}).text
    world.post(links.not_me_url(row.ref, row.list_id, row.key))
    assert (standing(world, TAGGED), standing(world, OTHER)) == ([("confirmations", False)], [])


def test_a_mail_that_waits_for_an_old_row_does_not_leave_once_its_owner_objected(world: World) -> None:
    world.subscribe(TAGGED)
    sent = len(world.mails())
    ask(world, TAGGED)
    as_before(world)
    command(world, "suppressions", "add", TAGGED, "--scope", "all", "--yes", "--reason", "a letter")
    assert standing(world, TAGGED) == [("all", False)]
    assert len(world.mails()) == sent
