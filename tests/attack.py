"""A scripted attack on the real server, with a real relay behind it: `python -m tests.attack [--sign-ups 10000]`.

Sign-ups over many addresses and networks by JSON, programs that fill every field of the form, and a bomb: one address
over all lists. Meanwhile people sign up, and do the proof of work where they are asked for it. Prints what came of it,
and exits 1 where an address got more mails than its budget, the breaker stayed off, or a person was not served.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import altcha

from subscriptions.clock import Clock
from tests.support.ports import LOOPBACK
from tests.support.relay import Relay
from tests.support.server import Server, until

VICTIM, OPERATOR = "victim@example.org", "operator@example.org"
BUDGET = 1  # mails to one address in 15 minutes, which the attack does not last
AT_ONCE, PEOPLE_AT_ONCE = 16, 2
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Plan:
    """How large it is."""

    sign_ups: int = 10_000
    addresses: int = 2_000
    networks: int = 500
    lists: int = 50
    people: int = 40


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: str


class Answer(NamedTuple):
    status: int
    body: str
    seconds: float


@dataclass
class Outcome:
    """What came of it."""

    statuses: Counter[int] = field(default_factory=Counter)
    opened_after: float | None = None
    opened_at: int = 0  # sign-ups answered by then
    seconds: float = 0.0
    served: int = 0
    asked: int = 0  # people who were asked for a proof of work
    waits: list[float] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)

    def wrong(self, plan: Plan) -> list[str]:
        """One sentence for each promise that was not kept."""
        most = max((count for to, count in self.mails.items() if to != OPERATOR), default=0)
        told = {
            f"an address got {most} mails, allowed is {BUDGET}": most > BUDGET,
            "the breaker stayed off": self.opened_after is None,
            f"{plan.people - self.served} people were not served": self.served < plan.people,
            f"the operator got {self.mails[OPERATOR]} alarms, not one": self.mails[OPERATOR] != 1,
            "the server answered with errors": any(status >= 500 or not status for status in self.statuses),
        }
        return [sentence for sentence, is_so in told.items() if is_so]


def attack(plan: Plan, folder: Path, relay: Relay, url: str = "sqlite:///subscriptions.db") -> Outcome:
    """Run it against a fresh server."""
    outcome = Outcome()
    with _server(folder, relay, url, plan) as server:
        began = Clock.ticks()
        crowd = _Crowd(server.port, _requests(plan), outcome)
        watcher = threading.Thread(target=_watch, args=[server, crowd, outcome, began])
        people = threading.Thread(target=_people, args=[server.port, plan, crowd, outcome])
        for thread in (watcher, people):
            thread.start()
        crowd.run()
        outcome.seconds = Clock.ticks() - began
        for thread in (people, watcher):
            thread.join()
        until(lambda: _settled(server, relay, plan), every=0.2)
    outcome.mails.update(to for mail in relay.mails for to in mail.recipients)
    return outcome


def _server(folder: Path, relay: Relay, url: str, plan: Plan) -> Server:
    lists = ", ".join(f'{{slug = "list-{n}", name = "List {n}"}}' for n in range(plan.lists))
    settings: dict[str, Any] = {
        "LISTS": f"[{lists}]",
        "LIMITS__SIGNUPS_PER_NETWORK": '"200/1h"',
        "SERVER__TRUSTED_PROXIES": "1",
        "ABUSE__ALARM_TO": f'"{OPERATOR}"',
    }
    return Server(folder, url, relay=relay, **settings)


def _requests(plan: Plan) -> Iterator[Request]:
    """Mostly programs that speak JSON; one in ten fills every field of a form; one in twenty is for the victim."""
    for n in range(plan.sign_ups):
        slug, person = f"list-{n % plan.lists}", n * 7 % plan.addresses
        address = VICTIM if n % 20 == 7 else f"person{person}@d{person % 97}.example.org"
        if n % 10 == 3:
            fields = {"email": address, "name": "Buy now", "website": "https://example.org/"}
            yield Request(f"/subscribe/{slug}", FORM | _from(n % plan.networks), urlencode(fields))
        else:
            body = json.dumps({"email": address, "list": slug})
            yield Request("/api/v1/subscriptions", JSON | _from(n % plan.networks), body)


def _from(network: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"198.18.{network >> 8}.{network & 255}"}


class _Crowd:
    """So many at once, each on a kept connection."""

    def __init__(self, port: int, requests: Iterator[Request], outcome: Outcome) -> None:
        self._port, self._requests, self._outcome = port, requests, outcome
        self._turn = threading.Lock()

    @property
    def answered(self) -> int:
        with self._turn:
            return self._outcome.statuses.total()

    def run(self) -> None:
        threads = [threading.Thread(target=self._visit) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _visit(self) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=60)
        while (request := self._next()) is not None:
            answer = _ask(connection, request)
            with self._turn:
                self._outcome.statuses[answer.status] += 1
        connection.close()

    def _next(self) -> Request | None:
        with self._turn:
            return next(self._requests, None)


def _ask(connection: http.client.HTTPConnection, request: Request) -> Answer:
    began = Clock.ticks()
    try:
        connection.request("POST", request.path, request.body, request.headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode(), Clock.ticks() - began)
    except (OSError, http.client.HTTPException):
        connection.close()
        return Answer(0, "", Clock.ticks() - began)


def _watch(server: Server, crowd: _Crowd, outcome: Outcome, began: float) -> None:
    """Looks at the metrics until the breaker is on, as an operator's monitoring does; a while after the end, too."""

    def is_on() -> bool:
        return "yestwice_breaker 1.0" in server.ask("GET", "/metrics")[2]

    with suppress(TimeoutError):
        until(is_on, every=0.2)
        outcome.opened_after, outcome.opened_at = Clock.ticks() - began, crowd.answered


def _people(port: int, plan: Plan, crowd: _Crowd, outcome: Outcome) -> None:
    """All along the attack, each from a network of their own, with a proof of work where it is asked for."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    for n in range(plan.people):
        until(lambda n=n: crowd.answered >= n * plan.sign_ups // plan.people, timeout=600)  # type: ignore[misc]
        body: dict[str, Any] = {"email": _person(n), "list": "list-0"}
        headers = JSON | {"X-Forwarded-For": f"203.0.113.{n}"}
        first = _ask(connection, Request("/api/v1/subscriptions", headers, json.dumps(body)))
        last = first
        if first.status == 422:
            outcome.asked += 1
            body["altcha"] = solved(json.loads(first.body)["challenge"])
            last = _ask(connection, Request("/api/v1/subscriptions", headers, json.dumps(body)))
        outcome.served += last.status == 202
        outcome.waits.append(first.seconds + (last.seconds if last is not first else 0))
    connection.close()


def _person(number: int) -> str:
    return f"reader{number}@example.net"


def solved(challenge: dict[str, Any]) -> str:
    """The proof of work, as the widget would send it."""
    it = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(it)
    assert solution is not None
    return str(altcha.Payload(it, solution).to_base64())


def _settled(server: Server, relay: Relay, plan: Plan) -> bool:
    """Whether every mail that may leave has left: those for other lists wait for their quarter of an hour."""
    got = {to for mail in relay.mails for to in mail.recipients}
    return OPERATOR in got and all(_person(n) in got for n in range(plan.people))


def report(plan: Plan, outcome: Outcome) -> Iterator[str]:
    to_people = [count for to, count in outcome.mails.items() if to != OPERATOR]
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(outcome.statuses.items()))
    yield f"{plan.sign_ups:,} sign-ups, {plan.addresses:,} addresses, {plan.networks} networks, {plan.lists} lists"
    yield f"in {outcome.seconds:.1f} s, {plan.sign_ups / outcome.seconds:,.0f} a second: {statuses}"
    if outcome.opened_after is not None:
        yield f"breaker on after {outcome.opened_after:.1f} s and {outcome.opened_at:,} sign-ups"
    yield f"mails: {sum(to_people):,} to {len(to_people):,} addresses, at most {max(to_people, default=0)} to one"
    yield f"the victim of the bomb got {outcome.mails[VICTIM]}; the operator {outcome.mails[OPERATOR]} alarm"
    yield f"people: {outcome.served} of {plan.people} served, {outcome.asked} after a proof of work"
    yield f"the slowest of them waited {max(outcome.waits, default=0.0):.2f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sign-ups", type=int, default=Plan.sign_ups)
    parser.add_argument("--database", default="sqlite:///subscriptions.db", help="its URL, of an empty one")
    asked = parser.parse_args()
    plan = Plan(sign_ups=asked.sign_ups)
    with tempfile.TemporaryDirectory() as folder, Relay() as relay:
        outcome = attack(plan, Path(folder), relay, asked.database)
    print("\n".join(report(plan, outcome)))
    print("\n".join(outcome.wrong(plan)) or "all promises kept")
    return int(bool(outcome.wrong(plan)))


if __name__ == "__main__":
    sys.exit(main())
