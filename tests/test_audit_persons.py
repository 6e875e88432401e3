"""What the audit says of persons ends with the last that is known of them."""

from collections.abc import Callable

import pytest
from click.testing import Result

from tests.builders import ANNE, World
from tests.test_audit import key, rows
from tests.test_commands import logging_as_it_was, run

__all__ = ["logging_as_it_was"]
Ends = Callable[[World], object]


def disowned(world: World) -> object:
    return world.post(world.not_me_link(ANNE)), run(world, "suppressions", "lift", ANNE, "--reason", "undone")


def erased(world: World) -> Result:
    return run(world, "erase", ANNE, "--yes")


@pytest.mark.parametrize("end", [disowned, World.registrations, erased], ids=["disowned", "purged", "erased"])
def test_key_and_reason_stay_as_long_as_anything_is_known_and_not_longer(world: World, end: Ends) -> None:
    world.sign_up(ANNE)
    run(world, "suppressions", "add", ANNE, "--scope", "confirmations", "--reason", "a letter")
    run(world, "suppressions", "lift", ANNE, "--reason", "another letter")
    world.run("purge")
    known = [(key(world, ANNE), "a letter"), (key(world, ANNE), "another letter")]
    assert [(row.about, row.reason) for row in rows()] == known
    end(world)
    world.clock.forward(days=30)  # so long stay the times of mails, by the same key
    world.run("purge")
    assert len(rows()) > 1 and {(row.about, row.reason) for row in rows()} == {(None, None)}
