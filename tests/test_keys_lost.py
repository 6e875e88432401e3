"""A key that has signed is missed: a lost one is not replaced in silence, and one left out is a finding (B17)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import create_app
from subscriptions import start
from subscriptions.parts import current_parts
from subscriptions.settings import BadSettings
from subscriptions.store import meta
from subscriptions.store.engine import reading, transaction
from subscriptions.store.models import db
from tests.builders import ANNE, BART, World

OURS, OTHER = "a secret key of the tests", "another key of the configuration"


@contextmanager
def started(world: World, *secret_keys: str) -> Iterator[list[str]]:
    """With these in the configuration: the findings about keys."""
    settings = world.parts.settings
    app = create_app(replace(settings, server=replace(settings.server, secret_keys=secret_keys)), world.clock)  # type: ignore[arg-type]
    with app.app_context():
        try:
            start.prepare(app)
            yield [one for one in current_parts(app).warnings if "key" in one]
        finally:
            db.engine.dispose()


def file_of(world: World) -> Path:
    return world.parts.settings.data_dir / "secret_key"


def forget_keys() -> None:
    """As a version before 0.4.0 left it."""
    with transaction() as session:
        session.execute(sa.text("DELETE FROM meta WHERE name = 'keys'"))


@pytest.mark.parametrize("before", ["0.4.0", "0.3.0"])
def test_beside_anybody_a_start_makes_no_new_key_and_leaves_none(world: World, before: str) -> None:
    world.subscribe(BART)
    if before == "0.3.0":
        forget_keys()
    for _ in range(2):
        with pytest.raises(BadSettings, match=r"Restore .*secret_key") as refusal, started(world):
            pass
        assert not file_of(world).exists() and "secret_keys in [server]" in str(refusal.value)
    file_of(world).write_text("0" * 64)  # another that somebody has put there
    if before == "0.4.0":
        with pytest.raises(BadSettings), started(world):
            pass
        assert file_of(world).exists()


def test_beside_nobody_a_new_key_is_made_and_kept(world: World) -> None:
    with started(world) as findings:
        assert findings == [] and file_of(world).exists()


def test_the_first_start_of_0_4_0_notes_the_key_that_is_there(world: World) -> None:
    forget_keys()
    file_of(world).write_text("0" * 64)
    world.subscribe(BART)
    for _ in range(2):
        with started(world) as findings:
            assert findings == []
    file_of(world).unlink()
    with pytest.raises(BadSettings, match="Restore"), started(world):
        pass


def test_a_key_that_is_left_out_is_a_finding_while_somebody_has_a_link_of_it(world: World) -> None:
    world.subscribe(BART)
    with started(world, OTHER) as findings:
        assert [
            "2026-11-23T12:15:00Z" in one and "no longer work, not even the ones to unsubscribe" in one
            for one in findings
        ] == [True]
    world.clock.forward(days=1)
    world.sign_up(ANNE)
    with started(world, OTHER) as findings:
        assert ["2026-11-23T12:15:00Z" in one for one in findings] == [True]
    with started(world, OTHER, OURS) as findings:
        assert findings == []
    with transaction() as session:
        session.execute(sa.text("DELETE FROM registrations WHERE subscription_id IS NOT NULL"))
        session.execute(sa.text("DELETE FROM subscriptions"))
    world.clock.forward(days=-1)  # Anne has asked after it was gone
    with started(world, OTHER) as findings:
        assert findings == []


def test_what_is_noted_of_a_key_gives_nothing_of_it_away(world: World) -> None:
    with started(world, OTHER), reading() as session:
        noted = json.loads(meta.get(session, "keys") or "")
    assert len(noted) == 2 and not [one for one in noted if one.isdigit() or len(one) != 32]
    assert OTHER not in str(noted) and OTHER.encode().hex()[:16] not in str(noted)
