"""Ports for servers that are stopped and started again on the same one."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
TRIES = 50


def free_port() -> int:
    """A free port below the ephemeral ranges of Linux, macOS and Windows.

    A client that keeps calling a stopped server on an ephemeral port is one day given that port itself, and holds it.
    """
    candidates = (10_000 + secrets.randbelow(22_000) for _ in range(TRIES))
    return next(port for port in candidates if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
