"""SPF: which machines a domain lets send in its name (RFC 7208).

Whether the relay is one of them only the other end knows: it often sends from another address than it is reached at.
"""

import re
from collections.abc import Iterator

from subscriptions.doctor.finding import Asked, Finding, found
from subscriptions.doctor.names import Names

MOST = 10  # look-ups (RFC 7208, 4.6.4)
_TERM = re.compile(r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists|redirect)(?:[:=/](.*))?", re.I)
_OTHER = re.compile(r"[a-z][\w.-]*=\S*", re.I)  # what nobody knows is no fault (RFC 7208, 6)


def records(names: Names, domain: str) -> list[str]:
    return sorted(text for text in names.texts(domain) if re.match(r"v=spf1(\s|$)", text, re.I))


class Walk:
    """A record and all that it leads to. `end`: the sign of its `all`, empty where it has none."""

    def __init__(self, names: Names, record: str) -> None:
        self._names, self.lookups, self.broken = names, 0, list[str]()
        self.end = self._follow(record)

    def _follow(self, record: str) -> str:
        end, then = "", ""
        for term in record.split()[1:]:
            if not (read := _TERM.fullmatch(term)):
                self.broken += [] if _OTHER.fullmatch(term) else [term]
                continue
            sign, kind, value = read[1] or "+", read[2].lower(), read[3] or ""
            self.lookups += kind not in ("all", "ip4", "ip6")
            if kind == "all":
                end = sign
            elif kind in ("include", "redirect"):
                led = self._lead(value, term)
                then = led if kind == "redirect" else then
        return end or then

    def _lead(self, domain: str, term: str) -> str:
        if "%" in domain or self.lookups > MOST:  # decided anew for each email; far enough
            return "?"
        if len(led := records(self._names, domain)) == 1:
            return self._follow(led[0])
        self.broken.append(term)
        return ""


def check(asked: Asked) -> Iterator[Finding]:
    for domain in sorted({sender.rpartition("@")[2] for sender in asked.parts.sender.composer.senders()}):
        known = records(asked.names, domain)
        if not known:
            yield found("spf-none", f'{domain}. IN TXT "v=spf1 mx ~all"', domain=domain)
        elif len(known) > 1:
            terms = dict.fromkeys(term for one in known for term in one.split()[1:] if not term.endswith("all"))
            yield found("spf-several", f'{domain}. IN TXT "{" ".join(["v=spf1", *terms, "~all"])}"', domain=domain,
                        num=len(known))  # fmt: skip
        else:
            yield from _of_one(Walk(asked.names, known[0]), domain, known[0])


def _of_one(walk: Walk, domain: str, record: str) -> Iterator[Finding]:
    ended = f'{domain}. IN TXT "{re.sub(r" [+?]?all$", "", record, flags=re.I)} ~all"'
    if walk.broken:
        rest = " ".join(term for term in record.split() if term != walk.broken[0])
        yield found("spf-broken", f'{domain}. IN TXT "{rest}"', domain=domain, part=walk.broken[0][:100])
    if walk.lookups > MOST:
        yield found("spf-long", domain=domain, num=MOST)
    if walk.end in ("+", "?", "") and not walk.broken:
        yield found("spf-everybody" if walk.end == "+" else "spf-open", ended, domain=domain)
