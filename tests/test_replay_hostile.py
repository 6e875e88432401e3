"""Lines of the deletion journal that are not of ours: each is counted as unreadable, and the rest is done."""

import json

from tests.backups import restored, save
from tests.builders import BART, World
from tests.test_commands import logging_as_it_was

__all__ = ["logging_as_it_was"]
AT = "2099-01-01T00:00:00+00:00"
LINES = [
    {"act": "end", "id": 10**30, "key": "00"}, {"act": "suppress", "scope": "all", "set_at": AT},
    {"act": "suppress", "scope": "all", "set_at": AT, "key": "00" * 16, "mailbox": "00" * 16, "controller": {"a": 1}},
    {"act": "lift", "key": 5}, {"act": "erase", "key": "zz"}, {"act": "remove", "ref": "00"}, {"act": []},
]  # fmt: skip


def test_lines_that_nobody_of_ours_has_written_stop_no_restore(world: World) -> None:
    world.subscribe(BART)
    path = save(world)
    world.post(world.leave_link(BART))
    [journal] = world.parts.settings.journal.iterdir()
    with journal.open("a") as file:
        file.writelines(f"\n{json.dumps({'at': AT, **line})}\n" for line in LINES)
        file.write("\n" + "[" * 100_000 + "\n")
    said = restored(world, path)
    assert "subscriptions ended 1" in said and not any(row.is_open for row in world.subscriptions())
