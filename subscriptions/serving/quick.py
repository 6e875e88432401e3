"""The quick door (rough)."""

import json
import random

from subscriptions.actions.gate import Pass
from subscriptions.actions.subscribe import Ask, Origin
from subscriptions.domain import webmail
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mailable import is_within
from subscriptions.parts import Parts
from subscriptions.web.http.client_ip import _peer
from subscriptions.web.intake import parse

HEAD = [
    ("content-type", "application/json"),
    ("vary", "Origin"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("content-security-policy", "x"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-robots-tag", "noindex"),
]


class Quick:
    def __init__(self, parts: Parts, loop):
        self.parts = parts
        self.loop = loop
        self.done = []
        parts.sign_ups.told = self.told

    def told(self):
        done, self.done = self.done, []
        if done:
            self.loop.call_soon_threadsafe(self.wake, done)

    @staticmethod
    def wake(done):
        for w, f in done:
            if not f.done():
                f.set_result(w)

    async def take(self, inc, protocol):
        p = self.parts
        h = inc.headers
        asked = parse.from_json(inc.body, p.catalogue)
        if isinstance(asked, list):
            return False
        fwd = h.get("x-forwarded-for")
        peer = _peer(fwd if fwd else inc.peer)
        origin = Origin(peer.text, "proxy", p.links.network_key(peer.network))
        handle = p.links.new_handle(webmail.number_of(asked.address.folded.rpartition("@")[2]))
        ref = p.links.ref(handle)
        ask = Ask(
            ref=ref,
            key=p.links.key(asked.address.folded),
            address=asked.address,
            list_id=asked.list.id,
            name=asked.name,
            locale=asked.locale,
            wording_id=asked.wording_id,
            channel=Channel.API,
            actor=None,
            origin=origin,
            wording_sha256=None,
            fields=asked.fields,
            vouched=None,
            mailable=p.mailable.why_not(asked.address) is None,
            flags=("disposable",) if is_within(asked.address.ascii_domain, p.disposable) else (),
            brings=Pass(),
        )
        fut = self.loop.create_future()
        w = p.sign_ups.hand_over(ask, lambda w: self.done.append((w, fut)))
        await fut
        w.result()
        p.wake_sender()
        p.watch.note(asked.list.id, asked.address.ascii_domain)
        body = json.dumps(
            {"status": "pending_confirmation", "list": asked.list.slug, "registration": handle}, ensure_ascii=False
        )
        protocol.response_bytes(202, [*HEAD, ("x-request-id", f"{random.getrandbits(64):016x}")], body.encode())
        return True
