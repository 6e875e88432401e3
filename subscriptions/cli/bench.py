"""`flask bench`."""

COMMANDS: list[object] = []
