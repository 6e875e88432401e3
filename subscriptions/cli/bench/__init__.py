"""`flask bench`: the real server, a real SMTP sink and a load over HTTP, beside the floor of the same machine."""

from subscriptions.cli.bench.command import COMMANDS

__all__ = ["COMMANDS"]
