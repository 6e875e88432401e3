"""`suppressions add`, `show` and `lift`: whom no mail or no confirmation mail leaves for."""

from subscriptions.actions import suppress
from subscriptions.domain.address import parse
from subscriptions.domain.mail_kinds import SuppressionScope
from tests.builders import ANNE, World
from tests.test_commands import columns, good, logging_as_it_was

__all__ = ["logging_as_it_was"]


def test_suppressions_are_added_shown_and_lifted_by_address(world: World) -> None:
    world.subscribe(ANNE)
    text = good(world, "suppressions", "add", ANNE, "--scope", "all", "--reason", "asked by letter", "--yes")
    assert text == "Suppressed (all); 1 subscription ended.\n"
    key = world.parts.links.key(parse(ANNE).folded).hex()
    shown = columns(good(world, "suppressions", "show", ANNE))
    assert shown[1:] == [[key, "all", "all", "2026-11-23T12:15:00Z", "for good", "asked by letter"]]
    assert good(world, "suppressions", "show") == good(world, "suppressions", "show", ANNE)
    good(world, "suppressions", "lift", ANNE, "--reason", "she asked to")
    assert len(columns(good(world, "suppressions", "show"))) == 1


def test_lifting_one_scope_alone(world: World) -> None:
    key = world.parts.links.key(parse(ANNE).folded)
    for scope in SuppressionScope:
        suppress.suppress(key, scope, "x", world.clock.now(), world.parts.policy, "command line")
    assert good(world, "suppressions", "lift", ANNE, "--scope=confirmations", "--reason=x") == "1 suppression lifted.\n"
    assert [row[1] for row in columns(good(world, "suppressions", "show"))[1:]] == ["all"]


def test_the_old_name_of_a_scope_works_and_the_help_says_until_when(world: World) -> None:
    old = ("--scope", "ask", "--reason", "x")
    assert good(world, "suppressions", "add", ANNE, *old) == "Suppressed (confirmations); 0 subscriptions ended.\n"
    assert [row[1] for row in columns(good(world, "suppressions", "show"))[1:]] == ["confirmations"]
    assert good(world, "suppressions", "lift", ANNE, *old) == "1 suppression lifted.\n"
    told = " ".join(good(world, "suppressions", "add", "--help").split())
    assert 'its old name "ask" works until 1.0' in told and "[confirmations|all]" in told
