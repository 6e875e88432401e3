"""A name server that listens in a thread (UDP), and says of each domain what a test wants."""

import socket
import threading
from collections.abc import Mapping
from typing import Self

import dns.message
import dns.rcode
import dns.rrset

from tests.support.ports import LOOPBACK

SILENT = "silent"  # no answer
NXDOMAIN, SERVFAIL = "NXDOMAIN", "SERVFAIL"
Zone = Mapping[str, object]  # domain to SILENT, NXDOMAIN, SERVFAIL, or a mapping of record type to a record


class NameServer:
    """What is not in the zone is NXDOMAIN."""

    def __init__(self, zone: Zone) -> None:
        self.zone = dict(zone)
        self.asked: list[tuple[str, str]] = []  # domain and type
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._thread = threading.Thread(target=self._listen, name="names", daemon=True)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """A message that is none wakes the thread and ends it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join(10)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            octets, peer = self._socket.recvfrom(4096)
            if not octets:
                return
            answer = self._answer(dns.message.from_wire(octets))
            if answer is not None:
                self._socket.sendto(answer.to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        domain, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        self.asked.append((domain, kind))
        holds = self.zone.get(domain, NXDOMAIN)
        if holds == SILENT:
            return None
        answer = dns.message.make_response(query)
        if isinstance(holds, Mapping):
            if kind in holds:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *holds[kind].split("; ")))
        else:
            answer.set_rcode(dns.rcode.from_text(str(holds)))
        return answer
