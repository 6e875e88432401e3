"""The start page of the desk, and Health: what needs somebody, and how many people there are."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from subscriptions.domain.roles import Role
from subscriptions.jobs import lease
from subscriptions.jobs.jobs import NAMED
from subscriptions.store import counters, jobs, meta, room
from subscriptions.store.counters import Daily
from subscriptions.store.engine import transaction
from tests.builders import ANNE, BART, HIDDEN, NEWS, OFFERS, World
from tests.desk import Person, at_the_desk, second_factor
from tests.test_lists_owned import DRAFT, WHOLE, create


@pytest.fixture
def live(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on it is no longer tried out."""
    return lambda: monkeypatch.setattr(world.parts, "_catalogue", replace(world.parts.catalogue, is_live=True))


SPAM = "the emails probably land in the spam folder"


def words(person: Person, path: str = "/admin/") -> str:
    """What the page says, in one line."""
    text = re.sub(r"<(head|nav)\b.*?</\1>", "", person.get(path).text, flags=re.S)
    text = re.sub(r"</?(time|strong|bdi|span|a)\b[^>]*>", "", text)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def id_of(world: World, slug: str = NEWS) -> int:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return row.id


def count(world: World, number: int, name: str, day: str = "2026-11-23", slug: str = NEWS) -> None:
    with transaction() as session:
        counters.add(session, {Daily(id_of(world, slug), day, name): number})


def test_before_anybody_signs_up_the_page_says_what_to_do_next(world: World) -> None:
    ola = at_the_desk(world)
    page = ola.get("/admin/").text
    assert page.count("Nobody has signed up yet.") == 3
    for link in (f"/admin/lists/{NEWS}/site", f"/subscribe/{NEWS}", "/admin/import"):
        assert f'roomy" href="{link}"' in page
    assert (
        'roomy" href="/admin/import"' not in at_the_desk(world, Role.VIEWER, email="v@example.org").get("/admin/").text
    )
    world.sign_up(ANNE)
    assert "0 people get Newsletter." in words(ola) and words(ola).count("Nobody has signed up yet.") == 2


def test_the_page_tells_how_many_people_there_are_and_how_they_came(world: World) -> None:
    for who in (ANNE, BART):
        world.subscribe(who)
    world.sign_up("cris@example.org")
    world.deliver()
    world.post(world.leave_link(ANNE))
    said, page = words(at_the_desk(world)), at_the_desk(world, email="b@example.org").get("/admin/").text
    assert "1 person gets Newsletter, +1 this month." in said
    assert "3 have signed up 3 were emailed 2 have confirmed 1 are still there" in said
    assert "Half of those who confirm do so within 1 minute." in said
    assert "23 Nov 2026 2 1 1" in said and "22 Nov 2026 0 0 0" in said
    [points] = re.findall(r'points="([^"]+)"', page)
    assert len(points.split()) == 30 and points.startswith("0.0,58.0") and points.endswith("300.0,2.0")


def test_a_month_with_fewer_people_at_its_end_says_so(world: World) -> None:
    world.subscribe(ANNE)
    world.clock.forward(days=10)
    world.post(world.leave_link(ANNE))
    assert "0 people get Newsletter, \N{MINUS SIGN}1 this month." in words(at_the_desk(world))


def test_deleted_sign_ups_of_before_are_said_to_be_missing(world: World) -> None:
    world.subscribe(ANNE)
    ola, said = at_the_desk(world), "Sign-ups that were deleted before 20 Nov 2026 are not among them."
    assert said not in words(ola)
    with transaction() as session:
        meta.put(session, "counted_since", "2026-11-20")
    assert said in words(ola)
    world.clock.forward(days=40)
    assert said not in words(at_the_desk(world, email="later@example.org"))


def test_twenty_emails_that_nobody_answers_need_somebody(world: World) -> None:
    ola, viewer = at_the_desk(world), at_the_desk(world, Role.VIEWER, lists=[id_of(world, OFFERS)])
    count(world, 19, "mailed")
    assert SPAM not in words(ola)
    count(world, 1, "mailed", "2026-11-20")
    assert "At least 20 people were asked to confirm Newsletter in the last 7 days and nobody has: the emails" in words(
        ola
    )
    assert SPAM in words(ola, "/admin/health") and SPAM not in words(viewer)
    count(world, 1, "confirmed.11")
    assert SPAM not in words(ola)


def test_what_needs_somebody_is_told_to_who_sees_all_lists_three_at_most(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ola, limited = at_the_desk(world), at_the_desk(world, Role.MANAGER, lists=[id_of(world)])
    assert "Needs you" not in words(ola)
    monkeypatch.setattr(room, "LEAST", 2**60)
    with transaction() as session:
        jobs.pause(session, "deliver", world.clock.now() + timedelta(minutes=5), "the relay takes no emails: 451 later")
    for slug in (NEWS, OFFERS, HIDDEN):
        count(world, 20, "mailed", slug=slug)
    world.parts.warnings.append("a finding")
    try:
        said, theirs = words(ola), words(limited)
    finally:
        world.parts.warnings.clear()
    needs = said.partition("Your lists")[0]
    more = {"sqlite": 3, "postgresql": 2}[world.parts.settings.database_url.partition(":")[0].partition("+")[0]]
    assert f"and {more} more on Health" in needs and needs.count(SPAM) == 4 - more
    assert needs.index("No emails are leaving at the moment") < needs.index("Newsletter")
    assert "No emails" not in theirs and "The disk" not in theirs and theirs.count(SPAM) == 1


def test_what_lists_lack_is_to_do_before_a_service_goes_live_and_in_drafts_from_then_on(
    world: World, live: Callable[[], None]
) -> None:
    ola, viewer = at_the_desk(world), at_the_desk(world, Role.VIEWER)
    assert "Needs you" not in words(ola)
    create(world, replace(WHOLE, policy_url="", controller=""))
    assert "Needs you To do before you go live: 2 Texts and settings" in words(ola)
    assert 'href="/admin/lists/concerts">Texts and settings<' in ola.get("/admin/").text
    assert "Needs you" not in words(viewer), "who cannot mend it"
    create(world, replace(DRAFT, slug="readings"))
    assert "To do before you go live: 3" in words(ola) and 'href="/admin/lists">Texts' in ola.get("/admin/").text
    live()
    assert "Concert letter takes no sign-ups yet. To do: 2" in words(ola) and "before you go live" not in words(ola)


def test_accounts_without_a_second_factor_are_named_to_owners_of_a_live_service(
    world: World, live: Callable[[], None]
) -> None:
    ola, mia = at_the_desk(world), at_the_desk(world, Role.MANAGER)
    assert "password alone" not in words(ola)
    live()
    assert "2 accounts are protected by a password alone." in words(ola) and "password alone" not in words(mia)
    second_factor(mia)
    assert "1 account is protected by a password alone." in words(ola)
    second_factor(ola)
    assert "password alone" not in words(ola)


def test_health_tells_why_no_emails_leave_and_since_when(world: World) -> None:
    ola = at_the_desk(world)
    world.sign_up(ANNE)
    world.deliver()
    world.clock.forward(minutes=1)
    world.sign_up(BART)
    with transaction() as session:
        jobs.pause(session, "deliver", world.clock.now() + timedelta(minutes=5), "the relay takes no emails: 451 later")
    said = words(ola, "/admin/health")
    assert "“Send emails” (deliver) is paused: the relay takes no emails: 451 later" in said
    assert "The next attempt is on 23 November 2026, 12:06 (UTC)." in said
    assert "1 email waits to leave. The oldest has waited since 23 November 2026, 12:01 (UTC)." in said
    assert "The mail server took the last one on 23 November 2026, 12:00 (UTC)." in said


def tidy(world: World, *late: str) -> None:
    """A run of the job that notes problems; all others have run just now, but for those that are late."""
    with transaction() as session:
        for name in NAMED.keys() - {"tidy", *late}:
            jobs.note(session, name, world.clock.now(), 1)
    lease.run(NAMED["tidy"], world.parts, asked=True)


def test_health_says_since_when_nothing_has_stood_in_the_way(world: World) -> None:
    with transaction() as session:
        meta.put(session, "versions", "2026-03-03T10:00:00Z 0.4.0\n")
    said = words(at_the_desk(world), "/admin/health")
    assert "All has been well since 3 March 2026, 10:00 (UTC)." in said
    for _ in range(5):
        tidy(world, "block")
        world.clock.forward(minutes=5)
    assert "way since 3 March 2026" not in words(at_the_desk(world, email="b@example.org"), "/admin/health")
    tidy(world)
    said = words(at_the_desk(world, email="c@example.org"), "/admin/health")
    assert "All has been well since 23 November 2026, 12:20 (UTC)." in said


def test_that_the_service_was_not_there_is_no_time_of_which_all_was_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidy(world)
    world.clock.forward(minutes=5)
    tidy(world)
    assert "since 23 November 2026, 12:05" not in words(at_the_desk(world), "/admin/health")
    monkeypatch.setattr(world.parts, "began", world.clock.forward(minutes=5, seconds=1))  # it starts again
    tidy(world)
    assert "since 23 November 2026, 12:10 (UTC)" in words(at_the_desk(world, email="b@example.org"), "/admin/health")


def test_a_viewer_reads_numbers_and_never_an_address(world: World) -> None:
    world.subscribe(ANNE)
    viewer = at_the_desk(world, Role.VIEWER)
    assert not [path for path in ("/admin/", "/admin/health", "/admin/numbers") if ANNE in viewer.get(path).text]
