"""Who the audit says gave a command: the account that the system knows, not what the environment says."""

import os
import pwd

import pytest

from subscriptions.cli import acts
from tests.builders import ANNE, World
from tests.support.cases import ONE_DATABASE, each
from tests.test_audit import rows
from tests.test_commands import logging_as_it_was, run

__all__ = ["logging_as_it_was"]
OURS = pwd.getpwuid(os.getuid()).pw_name
FREE = max(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid < 2**30) + 1  # of no account


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, f"the {name} of the environment")
    return monkeypatch


@ONE_DATABASE
def test_no_variable_of_the_environment_hides_the_account_that_gave_a_command(
    world: World, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(acts, "getuid", lambda: FREE)
    run(world, "suppressions", "add", ANNE, "--scope", "confirmations", "--reason", "a letter")
    assert [row.actor for row in rows()] == [f"uid {FREE} for the SUDO_USER of the environment"]


@each(("uid", "behind", "said"), [
    (0, "operator", "root for operator"), (0, "", "root"), (0, None, "root"),
    (0, "a\nb" * 50, "root for " + "ab" * 27 + "a"),
    (os.getuid(), "operator", f"{OURS} for operator"), (os.getuid(), OURS, OURS), (os.getuid(), None, OURS),
])  # fmt: skip
def test_whoever_is_behind_sudo_is_named_behind_the_account(
    environment: pytest.MonkeyPatch, uid: int, behind: str | None, said: str
) -> None:
    environment.setattr(acts, "getuid", lambda: uid)
    environment.delenv("SUDO_USER", raising=False)
    if behind is not None:
        environment.setenv("SUDO_USER", behind)
    assert acts.account() == said


def test_the_time_machine_leaves_a_row(world: World) -> None:
    world.post("/mailbox/clock", data={"forward": "24h"})
    assert [(row.actor_kind, row.actor, row.act, row.details) for row in rows()] == [
        ("try-out", "time machine", "clock", {"to": "24h"})
    ]
