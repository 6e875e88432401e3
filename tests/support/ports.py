"""Ports for servers that are stopped and started again on the same one."""

import secrets
import socket

LOOPBACK = "127.0.0.1"
TRIES = 50
UNSAFE = 10_080  # the one of these that browsers refuse (Fetch, "bad port")


def free_port() -> int:
    """A free port below the ephemeral ranges of Linux, macOS and Windows.

    A client that keeps calling a stopped server on an ephemeral port is one day given that port itself, and holds it.
    """
    candidates = (10_000 + secrets.randbelow(22_000) for _ in range(TRIES))
    return next(port for port in candidates if port != UNSAFE and _is_free(port))


_idle: list[int] = []  # of servers that are gone; the next one takes them, so that settings stay what they were


def kept_port() -> int:
    """The port of an earlier server of this process, or a free one."""
    while _idle:
        if _is_free(port := _idle.pop()):
            return port
    return free_port()


def given_back(port: int) -> None:
    """For the next who asks."""
    if port not in _idle:
        _idle.append(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just been closed may linger
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
