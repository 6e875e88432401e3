"""The watch over real databases: counts of several processes, the breaker, its alarm (B-03, B-04)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from subscriptions.domain.breaker import EVERYBODY, Scope
from subscriptions.parts import Parts, current_parts
from subscriptions.settings import Abuse, Limits
from subscriptions.store import traffic
from subscriptions.store.engine import Unavailable, reading
from subscriptions.store.models import Traffic
from subscriptions.watch import Watch
from tests.builders import NEWS, OFFERS, World, bearer, take_database_away
from tests.conftest import ManualClock

LOW = Abuse(signups_per_minute=30, list_signups_per_minute=20, domain_signups_per_minute=10, hints=False)


@pytest.fixture
def abused(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[World]:
    """A service whose thresholds a test can reach."""
    app = make_app(abuse=LOW)
    with app.app_context():
        yield World(app, app.test_client(), clock)


def watch(world: World) -> Watch:
    return world.parts.watch


def another(world: World) -> Watch:
    """The watch of another process on the same database."""
    parts: Parts = world.parts
    return Watch(parts.settings.thresholds, parts.clock, parts.links.domain_name)


def note(one: Watch, number: int, list_id: int = 1, domain: str = "") -> None:
    for n in range(number):
        one.note([list_id], domain or f"d{n}.example")


def look(world: World, *watches: Watch) -> None:
    for one in watches or (watch(world),):
        one.exchange(world.clock.now())


def test_its_own_counts_open_it_at_once(abused: World) -> None:
    note(watch(abused), 20)
    assert not watch(abused).is_on(1, "example.org")
    note(watch(abused), 1)
    assert watch(abused).is_on(1, "example.org")


def test_a_list_concerns_its_visitors_alone(abused: World) -> None:
    note(watch(abused), 21, list_id=1)
    look(abused)
    assert (watch(abused).is_on(1, "a.example"), watch(abused).is_on(2, "a.example")) == (True, False)


def test_a_domain_concerns_its_addresses_on_every_list(abused: World) -> None:
    note(watch(abused), 11, domain="big.example")
    look(abused)
    seen = [watch(abused).is_on(n, name) for n in (1, 2) for name in ("big.example", "small.example")]
    assert seen == [True, False, True, False]


def test_everybody_is_concerned_when_all_lists_together_are_too_many(abused: World) -> None:
    for list_id in (1, 2):
        note(watch(abused), 16, list_id=list_id)
    assert watch(abused).is_on(3, "small.example")


def test_processes_add_up_and_agree_after_one_exchange_each(abused: World) -> None:
    one, two = watch(abused), another(abused)
    for process in (one, two):
        note(process, 8, domain="big.example")
    look(abused, one, two)
    assert not one.is_on(1, "big.example"), "it has heard of the first eight only"
    look(abused, one)
    assert one.is_on(1, "big.example") and two.is_on(1, "big.example")
    assert not another(abused).is_on(1, "big.example")
    third = another(abused)
    look(abused, third)
    assert third.is_on(1, "big.example")


def test_what_the_others_have_counted_counts_for_the_next_of_ours(abused: World) -> None:
    one, two = watch(abused), another(abused)
    note(two, 9, domain="big.example")
    note(one, 1, domain="big.example")
    look(abused, two, one)
    assert not one.is_on(1, "big.example")
    note(one, 1, domain="big.example")
    assert one.is_on(1, "big.example")


def test_it_goes_off_15_minutes_after_the_last_minute_that_was_too_much(abused: World) -> None:
    note(watch(abused), 21)
    look(abused)
    abused.clock.forward(seconds=30)
    look(abused)
    abused.clock.forward(minutes=14, seconds=59)
    look(abused)
    assert watch(abused).is_on(1, "a.example")
    abused.clock.forward(seconds=1)
    assert not watch(abused).is_on(1, "a.example")


def test_a_minute_that_is_over_counts_no_more(abused: World) -> None:
    for _ in range(3):
        note(watch(abused), 15)
        look(abused)
        abused.clock.forward(minutes=2)
    assert not watch(abused).is_on(1, "a.example")


def test_a_database_that_is_away_loses_no_count(abused: World) -> None:
    note(watch(abused), 12, domain="big.example")
    take_database_away()
    with pytest.raises(Unavailable):
        look(abused)
    assert watch(abused).is_on(1, "big.example"), "it had seen them itself"
    counts = watch(abused)._take(abused.clock.now())[0]
    assert sum(minute[EVERYBODY] for minute in counts.values()) == 12


def test_the_database_knows_no_domain_by_its_name_and_none_that_few_sign_ups_came_for(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    app = make_app(abuse=replace(LOW, domain_signups_per_minute=100))
    with app.app_context():
        one = current_parts(app).watch
        note(one, 12, domain="big.example")
        note(one, 9, domain="canary.example")
        one.exchange(clock.now())
        with reading() as session:
            kinds = {(row.kind, row.name): row.count for row in session.query(Traffic)}
    assert kinds[Scope.DOMAIN.value, current_parts(app).links.domain_name("big.example")] == 12
    assert len([kind for kind, _ in kinds if kind == Scope.DOMAIN.value]) == 1
    assert "example" not in str(kinds)


def test_a_domain_that_comes_slowly_is_told_once_it_is_many(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=replace(LOW, domain_signups_per_minute=50, list_signups_per_minute=0, signups_per_minute=0))
    with app.app_context():
        one = current_parts(app).watch
        for _ in range(17):
            note(one, 3, domain="big.example")
            one.exchange(clock.forward(seconds=3))
        assert one.is_on(1, "big.example")


def test_without_a_limit_for_networks_nothing_is_watched(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=LOW, limits=Limits(signups_per_network=""))
    with app.app_context():
        note(current_parts(app).watch, 1000)
        assert current_parts(app).watch.exchange(clock.now()) == 0
        assert not current_parts(app).watch.is_on(1, "d1.example")


def test_every_accepted_sign_up_is_counted_by_list_and_domain(abused: World) -> None:
    for n in range(11):
        abused.sign_up(f"Person{n}@BIG.example", OFFERS, remote_addr=f"203.0.113.{n}")
    offers = abused.parts.catalogue.by_slug(OFFERS)
    assert offers is not None and watch(abused).is_on(offers.id, "big.example")
    with_limit = [abused.sign_up(f"x{n}@example.net", NEWS, remote_addr="198.51.100.1") for n in range(1)]
    look(abused)
    with reading() as session:
        counted = traffic.window(session, abused.clock.now())
    assert counted[EVERYBODY] == 11 + len(with_limit)


def test_what_the_network_limit_refused_is_not_counted(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=LOW, limits=Limits(signups_per_network="2/1h"))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for n in range(5):
            world.sign_up(f"person{n}@example.org")
        look(world)
        with reading() as session:
            assert traffic.window(session, clock.now())[EVERYBODY] == 2


def test_many_sign_ups_of_which_nobody_confirms_one_open_it(make_app: Callable[..., Flask], clock: ManualClock) -> None:
    app = make_app(abuse=replace(LOW, unconfirmed_percent=90, signups_per_minute=0, list_signups_per_minute=0))
    with app.app_context():
        world = World(app, app.test_client(), clock)
        look(world)
        clock.forward(minutes=1)
        for n in range(200):
            world.sign_up(f"person{n}@d{n}.example", remote_addr=f"198.51.{n}.1")
        look(world)
        assert not watch(world).is_on(1, "x.example"), "they are given ten minutes"
        clock.forward(minutes=11)
        look(world)
        assert watch(world).is_on(2, "x.example")


def test_traffic_is_forgotten_after_a_day(abused: World) -> None:
    note(watch(abused), 3)
    look(abused)
    abused.clock.forward(hours=23)
    abused.run("tidy")
    assert abused.count(Traffic)
    abused.clock.forward(hours=1)
    abused.run("tidy")
    assert not abused.count(Traffic)


def test_a_sign_up_for_several_lists_is_one_and_counts_for_each_of_them(abused: World) -> None:
    for n in range(21):
        watch(abused).note([1, 2], f"d{n}.example")
    look(abused)
    with reading() as session:
        counted = traffic.window(session, abused.clock.now())
    assert counted[EVERYBODY] == 21
    assert [watch(abused).is_on(list_id, "x.example") for list_id in (1, 2, 3)] == [True, True, False]


def test_what_a_client_with_a_token_brings_is_not_counted(abused: World) -> None:
    for n in range(11):
        abused.sign_up(f"person{n}@big.example", headers=bearer("subscribe"))
    look(abused)
    assert not watch(abused).is_on(1, "big.example")
