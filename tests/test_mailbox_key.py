"""The mailbox key: mails are counted, and confirmations suppressed, for a mailbox, however its address is spelled."""

import pytest
from click.testing import Result

from subscriptions.domain.address import mailbox_of, parse
from subscriptions.store import addresses, suppressions
from subscriptions.store.engine import reading
from subscriptions.store.models import Address, Suppression
from tests.builders import ANNE, OFFERS, World, link_in
from tests.preferences import Page, ask
from tests.support.cases import each

TAGGED, OTHER = "anne+news@example.org", "Anne+x+y@example.org"
GMAIL = ["a.n.n.e@gmail.com", "anne+1@gmail.com", "ANNE@googlemail.com", "an.ne+x.y@GoogleMail.com"]
SPELLED = {
    "anne+tag@example.org": ANNE, "anne+@example.org": ANNE, "A++b+c@Example.org": "a@example.org",
    "+tag@example.org": "+tag@example.org", "++b@example.org": "++b@example.org", "a.b@example.org": "a.b@example.org",
    "anne-tag@example.org": "anne-tag@example.org", "anne=tag@yahoo.com": "anne=tag@yahoo.com",
    "anne_x@gmail.com": "anne_x@gmail.com", "jörg+x@bücher.example": "jörg@xn--bcher-kva.example",
    "a.b+c.d@googlemail.com": "ab@gmail.com", "a.b@mail.gmail.com": "a.b@mail.gmail.com",
    "a.b@gmail.com.example": "a.b@gmail.com.example", "+a.b@gmail.com": "+ab@gmail.com",
    "o'neil+x@example.org": "o'neil@example.org",
} | dict.fromkeys(GMAIL, "anne@gmail.com")  # fmt: skip


@each(("typed", "mailbox"), SPELLED.items())
def test_a_mailbox_is_the_address_without_its_tag_and_at_gmail_without_dots(typed: str, mailbox: str) -> None:
    assert mailbox_of(parse(typed).folded) == mailbox
    assert mailbox_of(mailbox) == mailbox


def keys(world: World, address: str) -> tuple[bytes, bytes | None]:
    links, folded = world.parts.links, parse(address).folded
    return links.key(folded), links.mailbox_key(folded)


def standing(world: World, address: str) -> list[tuple[str, bool]]:
    """Scopes that stand against an address, and whether they came of another spelling."""
    (key, mailbox), now = keys(world, address), world.clock.now()
    with reading() as session:
        return [(one.scope, one.of_mailbox) for one in suppressions.active(session, key, now, mailbox)]


def command(world: World, *args: str) -> Result:
    return world.app.test_cli_runner().invoke(args=list(args))


@pytest.mark.parametrize("spellings", [[f"victim+{n}@example.org" for n in range(30)], GMAIL], ids=["tags", "gmail"])
def test_thirty_spellings_of_a_mailbox_share_one_budget(world: World, spellings: list[str]) -> None:
    for _ in range(5):
        for address in spellings:
            assert world.sign_up(address).status_code == 202
        world.clock.forward(minutes=15)
    assert len(world.mails()) == 3


def test_spellings_in_one_batch_share_it_as_well(world: World) -> None:
    from subscriptions.actions.subscribe import subscribe
    from tests.test_group_commit_stored import ask as sign_up

    asks = [sign_up(world, f"anne+{n}@example.org", bytes(15) + bytes([n])) for n in range(5)]
    asks = [one._replace(mailbox=keys(world, one.address.mailed)[1]) for one in asks]
    subscribe(asks, world.clock.now(), world.parts.policy)
    assert [row.address for row in world.registrations()] == ["anne+0@example.org"]


def test_a_subscription_is_for_the_address_as_typed(world: World) -> None:
    for address in (ANNE, TAGGED):
        world.subscribe(address)
    world.post(world.leave_link(TAGGED))
    assert [(row.address, row.state) for row in world.subscriptions()] == [
        (ANNE, "confirmed"),
        (TAGGED, "unsubscribed"),
    ]
    world.sign_up(ANNE)  # already subscribed: the third of the day
    world.clock.forward(minutes=15)
    world.sign_up(OTHER)
    assert len(world.mails()) == 3


@pytest.mark.parametrize("purged", [False, True])
def test_not_me_on_one_spelling_protects_every_other_until_it_is_undone(world: World, purged: bool) -> None:
    world.sign_up(TAGGED)
    link = world.not_me_link(TAGGED)
    world.clock.forward(days=31 * purged, minutes=15)
    world.run("purge")
    world.sign_up(OTHER, OFFERS)  # and its mail waits
    world.post(link)
    assert world.mails() == []
    world.clock.forward(days=1)
    for address in (ANNE, TAGGED, OTHER):
        assert world.sign_up(address).status_code == 202
    assert world.mails() == []
    world.post(f"{link}/undo")
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == 1


def test_what_is_pressed_for_one_spelling_holds_its_mailbox_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[set[bytes | None]] = []
    lock = addresses.lock
    monkeypatch.setattr(addresses, "lock", lambda session, *keys: (held.append({*keys}), lock(session, *keys)))
    world.sign_up(TAGGED)
    undo = f"{world.not_me_link(TAGGED)}/undo"
    for url in (undo, world.confirm_link(TAGGED)):
        held.clear()
        assert world.post(url).status_code == 200
        assert {*keys(world, TAGGED)} <= set().union(*held)


def test_who_objected_under_one_spelling_is_asked_to_confirm_under_none(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(TAGGED)
    Page.of(world, TAGGED).act("never-surely")
    assert (standing(world, TAGGED), standing(world, ANNE)) == ([("all", False)], [("confirmations", True)])
    world.clock.forward(days=1)
    for address in (ANNE, OTHER, TAGGED):
        world.sign_up(address, OFFERS)
    assert [row.list_id for row in world.registrations()] == [1, 1]
    assert [(row.address, row.state) for row in world.subscriptions()] == [
        (ANNE, "confirmed"),
        (TAGGED, "unsubscribed"),
    ]


def test_the_owner_of_another_spelling_lifts_confirmations_and_leaves_the_objection(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(TAGGED)
    world.post(world.not_me_link(TAGGED))
    assert (
        command(world, "suppressions", "add", OTHER, "--scope", "all", "--yes", "--reason", "a letter").exit_code == 0
    )
    Page.of(world, ANNE).act("lift", scope="confirmations")
    assert [standing(world, one) for one in (ANNE, TAGGED, OTHER)] == [[], [], [("all", False)]]


def test_a_mail_that_waits_for_one_spelling_does_not_leave_once_another_said_no(world: World) -> None:
    world.sign_up(TAGGED)
    link = world.not_me_link(TAGGED)
    world.sign_up(OTHER)  # leaves in a quarter of an hour
    world.post(link)
    world.clock.forward(minutes=15)
    assert world.mails(OTHER) == []


def test_an_attack_on_one_mailbox_is_cancelled_once_and_lifted_under_any_spelling(world: World) -> None:
    for n in range(3):
        world.sign_up(f"anne+{n}@example.org")
        world.clock.forward(minutes=15)
    told = command(world, "abuse", "cancel", "--since", "1h", "--yes").output
    assert "3 sign-ups of 1 address cancelled" in told and world.count(Suppression) == 1
    world.clock.forward(days=2)
    world.sign_up(ANNE)
    assert world.mails(ANNE) == []
    assert "1 suppression lifted" in command(world, "suppressions", "lift", OTHER, "--reason", "asked").output
    world.sign_up(ANNE)
    assert len(world.mails(ANNE)) == 1


def test_the_commands_tell_of_the_mailbox(world: World) -> None:
    command(world, "suppressions", "add", TAGGED, "--scope", "all", "--yes", "--reason", "a letter")
    assert "gets no email at all (a letter, set on" in command(world, "explain", TAGGED).output
    told = command(world, "explain", ANNE).output
    assert (
        "gets no confirmation emails (a letter, set on" in told and "for another spelling of the same mailbox" in told
    )
    assert "confirmations  all   " in command(world, "suppressions", "show", OTHER).output
    command(world, "suppressions", "lift", TAGGED, "--reason", "asked")
    assert "Nothing is stored" in command(world, "explain", ANNE).output
    assert (world.count(Suppression), world.count(Address)) == (0, 0)


def test_the_budget_of_a_mailbox_is_told_under_any_spelling(world: World) -> None:
    world.sign_up(TAGGED)
    for address in (TAGGED, OTHER, ANNE):
        assert "as many emails as we send" in command(world, "explain", address).output


def test_nobody_signs_our_own_addresses_up_with_a_tag(world: World) -> None:
    for address in ("newsletter+x@example.org", "privacy+x@example.org"):
        assert world.sign_up(address).status_code == 202
    assert world.registrations() == []


def test_moves_from_every_spelling_of_a_mailbox_are_counted_together(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(TAGGED)
    pages = [Page.of(world, ANNE)]
    world.clock.forward(minutes=5)
    pages.append(Page.of(world, TAGGED))
    for n in range(5):
        pages[n % 2].act("move", email=f"anne-{n}@example.net")
    assert "cannot send another email" in pages[1].told("move", email="anne-6@example.net")


def test_erasing_one_spelling_leaves_the_other_and_what_protects_the_mailbox(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(TAGGED)
    world.sign_up(OTHER)
    world.post(world.not_me_link(OTHER))
    assert command(world, "erase", TAGGED, "--yes").exit_code == 0
    world.run("deliver")
    assert [row.address for row in world.subscriptions()] == [ANNE, None]
    assert standing(world, TAGGED) == [("confirmations", True)]


def test_who_objected_under_a_spelling_is_told_so_on_its_unsubscribe_page_and_can_write_again(world: World) -> None:
    """The link says the key of the address alone."""
    world.subscribe(TAGGED)
    world.subscribe(ANNE)
    links = {one: world.leave_link(one) for one in (ANNE, TAGGED)}
    Page.of(world, TAGGED).act("never-surely")
    assert "/lift" not in world.post(links[ANNE]).text  # the objection was to mails to the other
    assert "/lift" in world.post(links[TAGGED]).text
    assert world.post(f"{links[TAGGED]}/lift").status_code == 200
    assert [standing(world, one) for one in (ANNE, TAGGED)] == [[], []]


def test_a_mailed_link_to_the_preferences_is_of_the_mailbox_too(world: World) -> None:
    world.subscribe(TAGGED)
    ask(world, TAGGED)
    token = link_in(world.mails(TAGGED)[-1], "my-data").rpartition("/")[2]
    opener = world.parts.links.read_preferences(token)
    assert (opener.key, opener.mailbox) == keys(world, TAGGED)
