"""Messages that nobody would write: mutations of those that people and machines do, by the thousand."""

import os
import random
import time
from collections.abc import Iterator

import pytest

from subscriptions.inbound.house import house_of
from subscriptions.inbound.message import TooMuch, read
from subscriptions.inbound.sorting import sort
from tests.builders import BART, World
from tests.support.cases import ONE_DATABASE
from tests.test_arriving import PLAIN, STRANGE, nested, with_head

BY_DAY, BY_NIGHT = 400, float(os.environ.get("FUZZ_SECONDS", "3600"))
SECONDS = 5.0  # of processor time for one message, on a busy machine
REPORT = (
    b"From: MAILER-DAEMON@mx.test\r\nTo: bounces@news.example\r\nAuto-Submitted: auto-replied\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nIt failed.\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@e.org\r\n"
    b"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n"
    b"List-Unsubscribe: <https://news.example/unsubscribe/x>\r\n\r\nHi.\r\n--b--\r\n"
)
SPAM = REPORT.replace(b"delivery-status", b"feedback-report").replace(b"Status: 5.1.1", b"Feedback-Type: abuse")
WISH = with_head(
    f"From: {BART}", "To: leave@news.example", "Subject: Re: =?utf-8?b?w6Q=?= unsubscribe", "In-Reply-To: <1@b>",
    "Authentication-Results: mx.test; dmarc=pass (p=none) header.from=example.org; dkim=pass header.d=example.org",
    "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from:to; bh=x; b=y", "Content-Type: text/html",
    body="<p>Bitte abmelden</p><blockquote>On Monday somebody wrote:<br>&gt; Hi</blockquote>",
)  # fmt: skip
SEEDS = [PLAIN, REPORT, SPAM, WISH, nested(15), *(octets for octets in STRANGE.values() if len(octets) < 20_000)]
TOKENS = [b"\r\n", b"\n\n", b"\r", b"\x00", b"\xff", b"=?utf-8?q?", b"?=", b'"', b"(", b"<", b";", b"boundary=",
          b"--b\r\n", b"Content-Type: multipart/a; boundary=b\r\n", b"message/rfc822", b"From: ", b":", b",",
          b"charset=x", b"Content-Transfer-Encoding: base64\r\n", b"*0*=", b"%", b"@", b"\xed\xa0\x80"]  # fmt: skip


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """Cut, doubled, crossed, and sprinkled with what parsers trip over."""
    made = bytearray(octets)
    for _ in range(chance.randint(1, 12)):
        at, size = chance.randint(0, len(made)), chance.choice((1, 3, 10, 60, 2000))
        piece = bytes(made[at : at + size])
        what = chance.choice((
            b"", piece * chance.choice((2, 2, 50)), chance.choice(TOKENS) * chance.choice((1, 1, 3, 400)),
            chance.choice(SEEDS)[: chance.randint(0, 900)], chance.randbytes(chance.randint(1, 40)),
        ))  # fmt: skip
        made[at : at + (size if chance.random() < 0.5 else 0)] = what
    return bytes(made[:1_200_000])


def messages(seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)  # noqa: S311 the same ones again
    while True:
        yield mutated(chance.choice(SEEDS), chance)


def endures(world: World, octets: bytes) -> None:
    began, house = time.process_time(), house_of(world.parts)
    try:
        sort(read(octets), house)
    except TooMuch:
        pass
    except Exception as error:
        error.add_note(repr(octets))
        raise
    assert time.process_time() - began < SECONDS, octets


@ONE_DATABASE
def test_no_message_of_four_hundred_strange_ones_is_more_than_refused(world: World) -> None:
    for _, octets in zip(range(BY_DAY), messages(12), strict=False):
        endures(world, octets)


@pytest.mark.drill
@pytest.mark.timeout(BY_NIGHT + 120)
@ONE_DATABASE
def test_no_message_of_an_hour_of_strange_ones_is_more_than_refused(world: World) -> None:
    over_at = time.monotonic() + BY_NIGHT
    for octets in messages(random.SystemRandom().getrandbits(32)):
        endures(world, octets)
        if time.monotonic() > over_at:
            return
