"""The use of API tokens: noted at most once a minute, refused at once where one is revoked."""

import sqlalchemy as sa

from subscriptions.start import Background
from subscriptions.store import audit, tokens
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import Read, Token, db
from tests.builders import World, bearer

LISTS = "/api/v1/lists"


def used(world: World) -> str | None:
    with reading() as session:
        at = session.scalar(sa.select(Token.used_at))
    return f"{at:%H:%M:%S}" if at else None


def test_a_use_is_noted_when_the_last_noted_one_is_a_minute_old(world: World) -> None:
    header = bearer("read")
    noted = [used(world)]
    for seconds in (0, 59, 1, 59.5, 0.5, 3600):
        world.clock.forward(seconds=seconds)
        assert world.get(LISTS, headers=header).status_code == 200
        noted.append(used(world))
    assert noted == [None, "12:00:00", "12:00:00", "12:01:00", "12:01:00", "12:02:00", "13:02:00"]


def test_a_request_whose_use_is_noted_already_writes_nothing(world: World) -> None:
    header = bearer("read")
    world.get(LISTS, headers=header)
    written: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        written.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", hear)
    assert world.get(LISTS, headers=header).status_code == 200
    world.clock.forward(minutes=1)
    by_the_second = " ".join(written)
    assert world.get(LISTS, headers=header).status_code == 200
    sa.event.remove(db.engine, "before_cursor_execute", hear)
    assert [word for word in ("UPDATE", "INSERT", "IMMEDIATE") if word in by_the_second] == []
    assert "UPDATE tokens" in " ".join(written)


def test_a_token_whose_use_was_just_noted_is_refused_as_soon_as_it_is_revoked(world: World) -> None:
    header = bearer("read")
    assert world.get(LISTS, headers=header).status_code == 200
    with transaction() as session:
        [one] = tokens.all_of(session)
        tokens.revoke(session, one.name, world.clock.now())
    assert [world.get(LISTS, headers=header).status_code for _ in range(2)] == [401, 401]
    assert used(world) == "12:00:00"


def test_a_refused_scope_is_a_use_all_the_same(world: World) -> None:
    assert world.get(LISTS, headers=bearer("export")).status_code == 403
    assert used(world) == "12:00:00"


def test_what_was_read_since_the_last_job_is_written_at_a_stop(world: World) -> None:
    background = Background(world.app, jobs=())
    background.start()
    world.parts.reads.note(("tool", "newsletter", audit.hour_of(world.clock.now())))
    background.stop()
    assert world.count(Read) == 1 and world.parts.reads.waiting() == {}
