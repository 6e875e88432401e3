"""After a deletion nothing of the person is left in the database or its files (F-06, T-10)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from subscriptions.actions import erase, suppress
from subscriptions.domain.address import parse
from subscriptions.store import mailbox, vacuum
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import db
from tests.builders import NEWS, OFFERS, World

ADDRESS, NAME, IP = "Zwetschgenbaum@Quittengarten.example.org", "Mirabella Schlehdorn", "203.0.113.77"


@dataclass
class Traces:
    """Everything by which a person could be known again."""

    texts: dict[str, bytes]
    key: bytes

    @property
    def of_the_person(self) -> dict[str, bytes]:
        return self.texts | {"key": self.key, "key in hex": self.key.hex().encode()}


def traces(world: World) -> Traces:
    key = world.parts.links.key(parse(ADDRESS).folded)
    texts = {
        "address": parse(ADDRESS).mailed.encode(), "local part": b"Zwetschgenbaum", "folded": b"zwetschgenbaum",
        "domain": b"quittengarten", "name": NAME.encode(), "part of the name": b"Schlehdorn", "ip": IP.encode(),
    }  # fmt: skip
    for n, row in enumerate(one for one in world.registrations() if one.key == key):
        texts |= {f"reference {n}": row.ref, f"reference {n} in hex": row.ref.hex().encode()}
    for n, mail in enumerate(world.mails(parse(ADDRESS).mailed)):
        texts |= {f"Message-ID {n}": str(mail["Message-ID"]).strip("<>").partition("@")[0].encode()}
    return Traces(texts, key)


def everything(folder: Path) -> bytes:
    """All that the database holds: its files byte for byte, or every row of every table of PostgreSQL."""
    if db.engine.dialect.name == "sqlite":
        return b"".join(file.read_bytes() for file in sorted(folder.glob("subscriptions.db*")))
    found = []
    with reading() as session:
        for table in db.metadata.sorted_tables:
            for row in session.execute(sa.select(table)):
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)


def found_in(folder: Path, wanted: dict[str, bytes]) -> list[str]:
    octets = everything(folder).lower()
    return [name for name, text in wanted.items() if text.lower() in octets]


def forget_times(world: World) -> None:
    world.clock.forward(days=30)  # since the last mail
    world.run("purge")


def a_person(world: World, slug: str = NEWS) -> Traces:
    """One who has signed up among others, whose mail is in the mailbox and whose evidence is sealed."""
    for n in range(20):
        world.sign_up(f"other{n}@example.org", slug)
    assert world.sign_up(ADDRESS, slug, name=NAME, remote_addr=IP) and world.run("seal")
    return traces(world)


def test_before_a_deletion_everything_can_be_found(world: World, tmp_path: Path) -> None:
    left = a_person(world).of_the_person
    missing = set(left) - set(found_in(tmp_path, left))
    assert missing <= {"key in hex", "folded", "reference 0 in hex"}


def test_after_the_purge_nothing_is_left(world: World, tmp_path: Path) -> None:
    person = a_person(world)
    world.clock.forward(days=30)
    world.run("block")
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def test_after_the_purge_of_one_who_signed_up_for_two_lists_nothing_is_left(world: World, tmp_path: Path) -> None:
    a_person(world)
    world.sign_up(ADDRESS, OFFERS, name=NAME, remote_addr=IP)
    world.clock.forward(minutes=15)
    person = traces(world)
    world.clock.forward(days=30)
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def test_after_the_purge_of_one_whose_mail_still_waited_nothing_is_left(world: World, tmp_path: Path) -> None:
    world.sign_up(ADDRESS, name=NAME, remote_addr=IP)
    with reading() as session:
        mid = session.scalars(sa.text("SELECT mid FROM outbox")).one()
    person = Traces({"Message-ID": mid.encode(), "ref": world.registrations()[0].ref, "name": NAME.encode()}, b"-" * 16)
    world.clock.forward(days=30)
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def test_after_the_purge_of_one_who_signed_up_for_several_on_one_form_nothing_is_left(
    world: World, tmp_path: Path
) -> None:
    body = {"email": ADDRESS, "lists": [NEWS, OFFERS], "name": NAME}
    world.post("/api/v1/subscriptions", json=body, environ_base={"REMOTE_ADDR": IP})
    person = traces(world)
    assert "reference 1" in person.texts
    world.clock.forward(days=30)
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def press(purpose: str, **data: str) -> Callable[[World], None]:
    def act(world: World) -> None:
        link = world.not_me_link(parse(ADDRESS).mailed)
        assert world.post(link, data=data).status_code == 200

    return act


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize("data", [{}, ONE_CLICK], ids=["button", "one-click"])
def test_after_this_was_not_me_only_the_keyed_hash_and_the_mark_of_the_undo_are_left(
    world: World, tmp_path: Path, data: dict[str, str]
) -> None:
    person = a_person(world)
    assert world.post(world.not_me_link(parse(ADDRESS).mailed), data=data).status_code == 200
    world.clock.forward(minutes=2)
    world.run("tidy")
    assert found_in(tmp_path, person.of_the_person) == ["reference 0", "key"]


def test_30_days_after_a_one_click_nothing_at_all_is_left(world: World, tmp_path: Path) -> None:
    person = a_person(world)
    world.post(world.not_me_link(parse(ADDRESS).mailed), data=ONE_CLICK)
    world.clock.forward(days=30)
    world.run("purge")
    world.run("tidy")
    assert found_in(tmp_path, person.of_the_person) == []


def test_after_the_undo_nothing_at_all_is_left(world: World, tmp_path: Path) -> None:
    person = a_person(world)
    link = world.not_me_link(parse(ADDRESS).mailed)
    world.post(link)
    world.run("tidy")
    world.clock.forward(minutes=2)
    world.post(link + "/undo")
    forget_times(world)
    assert found_in(tmp_path, person.of_the_person) == []


@pytest.mark.parametrize("lifted", [False, True])
def test_after_a_suppression_of_a_pending_sign_up_only_the_keyed_hash_is_left(
    world: World, tmp_path: Path, lifted: bool
) -> None:
    person = a_person(world)
    suppress.suppress(person.key, "all", "asked by letter", world.clock.now(), world.parts.policy, "command line")
    world.clock.forward(minutes=2)
    world.run("tidy")
    if lifted:
        suppress.lift(person.key)
        forget_times(world)
    assert found_in(tmp_path, person.of_the_person) == ([] if lifted else ["key"])


def erased(world: World, key: bytes) -> None:
    erase.ask(key, world.clock.now(), world.parts.policy, "command line")
    world.run("deliver")
    world.clock.forward(minutes=2)
    world.run("tidy")


def test_after_the_erasure_of_a_pending_sign_up_nothing_is_left(world: World, tmp_path: Path) -> None:
    person = a_person(world)
    erased(world, person.key)
    assert found_in(tmp_path, person.of_the_person) == ["key"]  # with the times of mails
    forget_times(world)
    assert found_in(tmp_path, person.of_the_person) == []


def test_after_the_erasure_of_a_subscriber_neither_address_nor_name_is_left(world: World, tmp_path: Path) -> None:
    a_person(world)
    world.post(world.confirm_link(parse(ADDRESS).mailed), environ_base={"REMOTE_ADDR": IP})
    person = traces(world)
    erased(world, person.key)
    gone = ("address", "local part", "folded", "domain", "name", "part of the name")
    assert found_in(tmp_path, {name: person.texts[name] for name in gone}) == []


def test_when_the_proof_of_the_erased_ends_nothing_at_all_is_left(world: World, tmp_path: Path) -> None:
    a_person(world)
    world.post(world.confirm_link(parse(ADDRESS).mailed), environ_base={"REMOTE_ADDR": IP})
    person = traces(world)
    erased(world, person.key)
    world.clock.forward(days=366 * 4)
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def test_when_the_proof_of_one_who_left_ends_nothing_at_all_is_left(world: World, tmp_path: Path) -> None:
    a_person(world, OFFERS)
    world.post(world.confirm_link(parse(ADDRESS).mailed), environ_base={"REMOTE_ADDR": IP})
    person = traces(world)
    world.post(world.leave_link(ADDRESS, OFFERS))
    world.clock.forward(days=366 * 4)
    world.run("purge")
    assert found_in(tmp_path, person.of_the_person) == []


def test_mailbox_copies_go_after_a_day_of_real_time(world: World, tmp_path: Path) -> None:
    person = a_person(world)
    token = world.confirm_link(parse(ADDRESS).mailed).rpartition("/")[2].encode()
    world.post(f"/confirm/{token.decode()}")
    assert token in everything(tmp_path).replace(b"=\r\n", b"")
    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE mailbox SET real_at = '2020-01-01 00:00:00.000000'"))
    world.clock.forward(minutes=2)
    world.run("tidy")
    with reading() as session:
        assert mailbox.newest(session) == []
    assert not vacuum.sweep_files(world.clock.now())
    assert token[:40] not in everything(tmp_path)
    assert person.key in everything(tmp_path)


def test_what_is_deleted_while_the_files_are_swept_is_swept_by_the_next_run(world: World) -> None:
    def meanwhile(*event: object) -> None:
        if str(event[2]).startswith("VACUUM"):
            with transaction() as session:
                vacuum.due(session)

    with transaction() as session:
        vacuum.due(session)
    world.clock.forward(minutes=2)
    sa.event.listen(db.engine, "after_cursor_execute", meanwhile)
    assert vacuum.sweep_files(world.clock.now())
    sa.event.remove(db.engine, "after_cursor_execute", meanwhile)
    assert vacuum.sweep_files(world.clock.now())
    assert not vacuum.sweep_files(world.clock.now())
