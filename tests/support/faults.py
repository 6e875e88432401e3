"""What the relay does wrong, at which stage of the conversation, and how often."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

# In the order of a conversation; "body" is amid the text, "end" after its final dot.
Stage = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "end", "quit"]

HANG = "hang"
DROP = "drop"
RESET = "reset"  # as DROP, by TCP's reset
ENDS = (HANG, DROP, RESET)
JUNK = "hello"  # a line that is no reply
FLOOD, ENDLESS, DRIP = "flood", "endless", "drip"  # with a code: line upon line, one line, an octet now and then


@dataclass(frozen=True)
class Fault:
    act: str
    keep: bool = False


@dataclass
class _Rule:
    fault: Fault
    match: str
    left: int | None
    beyond: int


class Faults:
    """The rules in force, asked by many connections at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[Stage, list[_Rule]] = {}
        self.played: Counter[Stage] = Counter()

    def add(self, stage: Stage, fault: Fault, *, times: int | None, match: str, beyond: int) -> None:
        _refuse_nonsense(stage, fault)
        with self._lock:
            self._rules.setdefault(stage, []).append(_Rule(fault, match, times, beyond))

    def clear(self, stage: Stage | None) -> None:
        with self._lock:
            for name in [stage] if stage else list(self._rules):
                self._rules.pop(name, None)

    def take(self, stage: Stage, about: str, beside: int) -> Fault | None:
        """The fault due now, counted as played; rules are used up in the order in which they were added."""
        with self._lock:
            rules = [rule for rule in self._rules.get(stage, []) if rule.left != 0 and rule.beyond <= beside]
            if (rule := next((rule for rule in rules if rule.match in about), None)) is None:
                return None
            rule.left = rule.left and rule.left - 1
            self.played[stage] += 1
            return rule.fault


def madness(act: str) -> str:
    """Which of the answers that never end this is, or nothing."""
    kind = act.partition(" ")[0]
    return kind if kind in (FLOOD, ENDLESS, DRIP) else ""


def _refuse_nonsense(stage: Stage, fault: Fault) -> None:
    if stage not in get_args(Stage):
        raise ValueError(f"no stage {stage!r}")
    if fault.act not in (*ENDS, JUNK) and not fault.act.removeprefix(madness(fault.act)).lstrip()[:3].isdigit():
        raise ValueError(f"neither {', '.join(ENDS)} nor a reply: {fault.act!r}")
    if stage == "body" and fault.act not in ENDS:
        raise ValueError("no reply can be given amid the text")
    if fault.keep and stage != "end":
        raise ValueError("a mail can be kept only at the end")
