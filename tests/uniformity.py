"""Whether the time or the bytes of an answer tell what an address is: `python -m tests.uniformity [--each 200]`.

Seven states of an address, so many addresses of each, asked in turn over HTTP on a real server, each by JSON and by the
form, as it is known and by another spelling of its mailbox. Prints the medians; exits 1 where bytes or headers differ
(X-01). Times are for reading: machines are noisy.
"""

import argparse
import http.client
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from app import create_app
from subscriptions import start
from subscriptions.actions.leave import Withdrawal, leave
from subscriptions.actions.suppress import suppress
from subscriptions.clock import Clock
from subscriptions.domain.address import parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.lifecycle import Event
from subscriptions.settings import Limits, Server, Settings
from tests.builders import World
from tests.conftest import ManualClock
from tests.support.ports import LOOPBACK
from tests.support.server import Server as Running

PEPPER, SECRET = "a pepper of the tests", "a secret key of the tests"  # as the server of the tests has them
HANDLE = re.compile(rb"(?<=[?&;]a=)[\w-]+|[\w-]{40}(?![\w-])")
RANDOM = {"x-request-id", "date"}
Answer = tuple[int, tuple[tuple[str, str], ...], bytes]


def key(world: World, address: str) -> bytes:
    return world.parts.links.key(parse(address).folded)


def bounce(world: World, address: str) -> None:
    world.subscribe(address)
    how = Withdrawal(Event.BOUNCE, Channel.RELAY, "550")
    leave(key(world, address), None, how, world.clock.now(), world.parts.policy)


def unsubscribe(world: World, address: str) -> None:
    world.subscribe(address)
    world.post(world.leave_link(address))


def object_(world: World, address: str) -> None:
    suppress(key(world, address), "all", "objection", world.clock.now(), world.parts.policy, "measured")


LONG_AGO: dict[str, Callable[[World, str], object]] = {
    "blocked": lambda world, address: world.sign_up(address),
    "confirmed": lambda world, address: world.subscribe(address),
    "unsubscribed": unsubscribe,
    "bounced": bounce,
    "suppressed": object_,
}
STATES = ["new", "pending", *LONG_AGO]


def prepare(folder: Path, each: int) -> None:
    """A database with so many addresses in each state."""
    clock = ManualClock(Clock.real_now() - timedelta(days=20))  # each confirmation takes it 15 minutes on
    server = Server(data_dir=str(folder), pepper=PEPPER, secret_keys=(SECRET,))
    app = create_app(Settings(root=folder, server=server, limits=Limits(signups_per_network="")), clock)
    start.prepare(app)
    with app.app_context():
        world = World(app, app.test_client(), clock)
        for state, bring in LONG_AGO.items():
            for number in range(each):
                bring(world, address_of(state, number))
        clock.at = Clock.real_now()
        for number in range(each):
            world.sign_up(address_of("pending", number))
        world.run("block")


def address_of(state: str, number: int) -> str:
    return f"{state}{number:05}@example.org".rjust(30, "x")  # of one length


def ask(line: http.client.HTTPConnection, way: str, address: str) -> tuple[float, Answer]:
    """Milliseconds, and the answer without what is random for everyone."""
    if way == "form":
        path, body, kind = "/subscribe/newsletter", urlencode({"email": address}), "application/x-www-form-urlencoded"
    else:
        path, body, kind = "/api/v1/subscriptions", f'{{"email": "{address}"}}', "application/json"
    began = Clock.ticks()
    line.request("POST", path, body, {"Content-Type": kind})
    got = line.getresponse()
    text = got.read()
    took = (Clock.ticks() - began) * 1000
    told = [(name, value) for name, value in got.getheaders() if name.lower() not in RANDOM]
    headers = tuple((name, HANDLE.sub(b"*", value.encode()).decode()) for name, value in told)
    return took, (got.status, headers, HANDLE.sub(b"*", text))


def measure(port: int, way: str, each: int, tag: str) -> tuple[dict[str, float], set[Answer]]:
    line = http.client.HTTPConnection(LOOPBACK, port)
    times: dict[str, list[float]] = {state: [] for state in STATES}
    answers = set()
    for number in range(each):
        for turn in range(len(STATES)):
            state = STATES[(turn + number) % len(STATES)]  # each state comes first as often as any other
            took, answer = ask(line, way, address_of(state, number).replace("@", f"{tag}@"))
            times[state].append(took)
            answers.add(answer)
    return {state: statistics.median(found) for state, found in times.items()}, answers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=200)
    each = parser.parse_args().each
    alike = True
    for way, tag in (("json", ""), ("form", ""), ("json", "+tag"), ("form", "+tag")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder, each)
            with Running(folder, "sqlite:///subscriptions.db", LIMITS__SIGNUPS_PER_NETWORK='""') as server:
                medians, answers = measure(server.port, way, each, tag)
        told = ", ".join(f"{state} {median:.2f}" for state, median in medians.items())
        print(f"{way}{tag}: medians in ms: {told}; apart {max(medians.values()) - min(medians.values()):.2f}")
        print(f"{way}{tag}: {each * len(STATES)} answers, {len(answers)} different")
        alike = alike and len(answers) == 1
    return int(not alike)


if __name__ == "__main__":
    sys.exit(main())
