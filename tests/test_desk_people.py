"""People at the desk: who is found, by what, and by whom; and that nobody learns what is not theirs to know."""

from sqlalchemy import text

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from subscriptions.domain.roles import Role
from subscriptions.store import audit, people
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Subscription
from tests.builders import ANNE, BART, CRIS, NEWS, OFFERS, World
from tests.desk import Person, at_the_desk
from tests.support.cases import each

UNKNOWN = "Nobody with this address is subscribed or waiting. If they did not confirm within 24 hours"
NOBODY = "nobody@example.org"


def key_of(world: World, address: str) -> bytes:
    return world.parts.links.key(parse(address).folded)


def page_of(world: World, address: str) -> str:
    return f"/admin/people/{key_of(world, address).hex()}"


def find(person: Person, typed: str) -> str:
    """The page that a search ends at."""
    answer = person.post("/admin/people", q=typed)
    if answer.status_code == 303:
        answer = person.get(answer.location)
    assert answer.status_code == 200, answer.text
    return answer.text


def only(world: World, slug: str, role: Role = Role.MANAGER) -> Person:
    row = world.parts.catalogue.by_slug(slug)
    assert row is not None
    return at_the_desk(world, role, f"{role}-of-{slug}@example.net", lists=[row.id])


FINDS = [
    ("anne", [ANNE]), ("ANNE@Exam", [ANNE]), ("@example.org", [ANNE, BART]), ("example.o", [ANNE, BART]),
    ("@example", [ANNE, BART]), ("a", [ANNE]), ("nne", []), ("@xample.org", []), ("rg", []),
]  # fmt: skip


def test_people_are_found_by_the_beginning_of_their_address_or_domain(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(BART)
    mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    for typed, who in FINDS:
        page = find(mia, typed)
        assert [one for one in (ANNE, BART) if f"<bdi>{one}</bdi></a>" in page] == who, typed


HARMLESS = ["%", "_nne", "a%", "an_e", "\0", "anne\0", "x" * 10_000, "'; --", "\U0010ffff", "@", "a\nb", "\\", "*"]


@each("typed", HARMLESS)
def test_no_sign_of_a_search_means_anything_but_itself(world: World, typed: str) -> None:
    mia = Person(world)
    if not world.subscriptions():
        world.subscribe(ANNE)
        mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    else:
        mia.sign_in("mia@example.net")
    page = find(mia, typed)
    assert "Nobody is subscribed whose address or domain begins with that" in page and ANNE not in page


def test_the_whole_address_leads_to_the_person_and_stands_in_no_url(world: World) -> None:
    world.subscribe(ANNE)
    answer = at_the_desk(world, Role.MANAGER).post("/admin/people", q=" Anne@EXAMPLE.org ")
    assert (answer.status_code, answer.location) == (303, page_of(world, ANNE))


def test_who_waits_is_found_by_the_whole_address_alone(world: World) -> None:
    world.sign_up(ANNE)
    mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    assert ANNE not in mia.get("/admin/people").text
    assert all("Nobody is subscribed whose" in find(mia, typed) for typed in ("anne", "anne@example", "@example.org"))
    page = find(mia, ANNE)
    assert "does not get Newsletter yet, because they have not confirmed. They can until" in page


def test_a_blocked_address_looks_as_an_unknown_one_to_all_but_privacy(world: World) -> None:
    world.sign_up(ANNE)
    world.clock.forward(hours=24)
    mia, pia = at_the_desk(world, Role.MANAGER, "mia@example.net"), at_the_desk(world, Role.PRIVACY, "pia@example.net")
    for swept in (False, True):
        pages = [find(mia, address).replace(address, "") for address in (ANNE, NOBODY)]
        assert pages[0] == pages[1] and UNKNOWN in pages[0], swept
        answers = [mia.get(page_of(world, address)) for address in (ANNE, NOBODY)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert "because nobody confirmed the sign-up within its time" in find(pia, ANNE)
        world.block()
    assert UNKNOWN in find(pia, NOBODY)


def test_beside_a_subscription_nothing_tells_that_another_sign_up_was_blocked(world: World) -> None:
    world.subscribe(ANNE)
    world.sign_up(ANNE, OFFERS)
    world.clock.forward(hours=24)
    mia, pia = at_the_desk(world, Role.MANAGER), at_the_desk(world, Role.PRIVACY)
    assert "Offers" not in find(mia, ANNE) and "in all." not in find(mia, ANNE)
    assert "Offers" in find(pia, ANNE) and "Signed up 2 times in all." in find(pia, ANNE)


def test_of_other_lists_nothing_is_seen_and_who_is_on_them_alone_is_404(world: World) -> None:
    world.subscribe(ANNE)
    world.subscribe(ANNE, OFFERS)
    world.subscribe(BART, OFFERS)
    mia = only(world, NEWS)
    assert "Offers" not in find(mia, ANNE) and "Offers" not in mia.get("/admin/people").text
    assert UNKNOWN in find(mia, BART) and mia.get(page_of(world, BART)).status_code == 404
    assert BART not in find(mia, "@example.org") and BART not in mia.get("/admin/people").text
    assert "Offers" in find(only(world, OFFERS), ANNE)
    world.post(world.leave_link(BART, OFFERS))
    key, now = key_of(world, BART), world.clock.now()
    suppress.suppress(key, SuppressionScope.ALL, "asked by letter", now, world.parts.policy, "command line")
    pia = only(world, NEWS, Role.PRIVACY)
    assert UNKNOWN in find(pia, BART)
    assert pia.get(page_of(world, BART)).status_code == 404


def test_the_newest_twenty_are_shown_and_of_a_search_fifty_at_most(world: World) -> None:
    world.subscribe(ANNE)
    rest = ", ".join(one.name for one in Subscription.__table__.columns if one.name not in ("id", "key", "address"))
    for number in range(60):
        copy = f"INSERT INTO subscriptions (key, address, {rest}) SELECT :key, :address, {rest} FROM subscriptions"  # noqa: S608
        _write(world, f"{copy} WHERE address = :anne", f"p{number:02}@example.org")
    mia = at_the_desk(world, Role.MANAGER, "mia@example.net")
    assert [mia.get("/admin/people").text.count("</bdi></a>"), find(mia, "p").count("</bdi></a>")] == [20, 50]
    assert "more exist: type more" in find(mia, "p") and "more exist" not in find(mia, "p5")
    assert "p59@example.org" in mia.get("/admin/people").text and ANNE not in mia.get("/admin/people").text
    _write(world, "UPDATE subscriptions SET state = 'erased', address = NULL WHERE key = :key", "p59@example.org")
    assert mia.get("/admin/people").text.count("</bdi></a>") == 20, "who is erased takes nobody's place"


def _write(world: World, statement: str, address: str) -> None:
    with transaction() as session:
        values = {"key": key_of(world, address), "address": address, "anne": ANNE}
        session.execute(text(statement), {name: one for name, one in values.items() if f":{name}" in statement})


def test_a_search_goes_by_an_index_on_both_databases(world: World) -> None:
    world.subscribe(ANNE)
    with reading() as session:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        between = "{0} >= 'a' AND {0} < 'b'" if is_sqlite else "{0} ~>=~ 'a' AND {0} ~<~ 'b'"
        session.execute(text("SELECT 1" if is_sqlite else "SET LOCAL enable_seqscan = off"))
        for column, index in ((people.FOLDED, "ix_subscriptions_address"), (people.DOMAIN, "ix_subscriptions_domain")):
            what = f"SELECT key FROM subscriptions WHERE {between.format(column)} AND list_id IN (1, 2)"  # noqa: S608
            plan = session.execute(text(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + what)).all()
            assert index in str(plan)


def test_each_look_at_a_person_and_each_search_is_a_row_of_the_audit(world: World) -> None:
    world.subscribe(ANNE)
    mia = at_the_desk(world, Role.MANAGER)
    find(mia, ANNE)
    find(mia, "anne")
    mia.get(page_of(world, NOBODY))
    with reading() as session:
        rows = [(row.act, row.about, row.count) for row in audit.newest(session, 3)]
    key = key_of(world, ANNE)
    assert rows == [("people find", None, 1), ("people show", key, None), ("people find", key, 1)]


def test_who_is_erased_is_nobody_any_more_but_to_privacy(world: World) -> None:
    world.subscribe(CRIS)
    erase.ask(key_of(world, CRIS), world.clock.now(), world.parts.policy, "command line")
    world.run("deliver")
    mia, pia = at_the_desk(world, Role.MANAGER), at_the_desk(world, Role.PRIVACY)
    assert UNKNOWN in find(mia, CRIS) and CRIS not in mia.get("/admin/people").text
    page = find(pia, CRIS)
    assert "because they were erased. The proof is kept." in page and CRIS not in page
