"""The diagram of the README, drawn from the two tables of what may happen."""

from subscriptions.domain.lifecycle import REGISTRATION, SUBSCRIPTION, Registration, S, State, Subscription, Table


def mermaid() -> str:
    """Both tables as a Mermaid state diagram: what the README shows."""
    lines = ["stateDiagram-v2"]
    for name, rows in (("registration", _merged(REGISTRATION)), ("subscription", _merged(SUBSCRIPTION))):
        lines.append(f"    state {name} {{")
        lines += [f"        {_arrow(name, *row)}" for row in rows]
        lines.append("    }")
    return "\n".join(lines)


def _merged(table: Table[S]) -> list[tuple[State | None, State, str]]:
    arrows: dict[tuple[State | None, State], list[str]] = {}
    for (state, event), step in table.items():
        if state is not step.to:
            arrows.setdefault((state, step.to), []).append(event.value)
    return [(state, to, ", ".join(events)) for (state, to), events in arrows.items()]


def _arrow(name: str, state: State | None, to: State, label: str) -> str:
    def node(state: State | None) -> str:
        gone = (None, Registration.ERASED, Registration.PURGED, Subscription.PURGED)
        return "[*]" if any(state is end for end in gone) else f"{name}_{state}"  # equal texts, so by identity

    return f"{node(state)} --> {node(to)}: {label}"
