"""Many visitors at once, each on a kept connection, and what every one of them was answered."""

import contextlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

from tests.support.ports import LOOPBACK

PATIENCE = 60.0
SIGN_UP = "/api/v1/subscriptions"

Request = tuple[str, str, str | None]  # what it is called, the path, the JSON body


def sign_up(address: str, slug: str = "newsletter") -> Request:
    return address, SIGN_UP, json.dumps({"email": address, "list": slug})


def visitors(count: int, begin: int = 0) -> list[Request]:
    """So many sign-ups, each of an address of its own."""
    return [sign_up(f"visitor-{number}@example.org") for number in range(begin, begin + count)]


class Load:
    """POSTs requests to one or several servers from threads; 0 as a status: no answer came."""

    def __init__(self, ports: Sequence[int], requests: Iterable[Request], at_once: int = 16) -> None:
        self.statuses: list[tuple[str, int]] = []
        self.retry_after: set[str | None] = set()
        self._requests = iter(requests)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._together = threading.Barrier(at_once)
        self._threads = [
            threading.Thread(target=self._visit, args=[ports[number % len(ports)]], daemon=True)
            for number in range(at_once)
        ]

    def start(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def wait_for(self, count: int, status: int) -> None:
        """Returns once that status was answered so often."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.counts[status] >= count, PATIENCE):
                raise TimeoutError(f"answers so far: {self.counts}")

    def finish(self) -> Self:
        """Wait until every request has been made."""
        for thread in self._threads:
            thread.join(PATIENCE)
        return self

    def stop(self) -> Self:
        """End after the requests under way."""
        self._stopping.set()
        return self.finish()

    def run(self) -> Self:
        return self.start().finish()

    @property
    def counts(self) -> Counter[int]:
        return Counter(status for _, status in self.statuses)

    def answered(self, status: int) -> list[str]:
        return [name for name, one in self.statuses if one == status]

    def _visit(self, port: int) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
        self._together.wait()
        while not self._stopping.is_set() and (request := self._next()):
            name, path, body = request
            status = 0
            with contextlib.suppress(OSError, http.client.HTTPException):
                status = self._post(connection, path, body)
            if not status:
                connection.close()
            with self._changed:
                self.statuses.append((name, status))
                self._changed.notify_all()
        connection.close()

    def _next(self) -> Request | None:
        with self._changed:
            return next(self._requests, None)

    def _post(self, connection: http.client.HTTPConnection, path: str, body: str | None) -> int:
        connection.request("POST", path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 503:
            self.retry_after.add(answer.getheader("Retry-After"))
        return answer.status
