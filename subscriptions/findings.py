"""What is allowed and will hurt: a row for each, said at the start, by /readyz and by `yestwice mail lint`."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from subscriptions import keys
from subscriptions.clock import machine_zone
from subscriptions.settings import ListSettings, ListTexts, Settings
from subscriptions.settings.check import is_loopback
from subscriptions.store import sqlite

LEGAL_NOTICE = ("controller", "postal_address", "privacy_contact")
_NOBODY_READS = re.compile(
    r"(not?|ne)[-_.]?(reply|repl[iy]es|repondre|responder?|antworten)|(keine|nicht|pas)[-_.]?(antwort|repondre)", re.I
)
_NAME_NOBODY = frozenset("the and for der die das und les des del los gmbh inc ltd llc".split())
_UTC = {"UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "GMT", "Zulu", "Universal", "Etc/Universal", "Etc/Zulu", "UCT"}
Lists = Iterable[ListSettings]


@dataclass(frozen=True, slots=True)
class Finding:
    """`when`: what fills the sentence, once for each time that it holds; none, and all is well."""

    name: str
    when: Callable[[Settings, Lists], Iterator[tuple[str, ...]]]
    sentence: str


def _plain(settings: Settings, _: Lists) -> Iterator[tuple[str, ...]]:
    mail = settings.mail
    if mail.transport == "smtp" and mail.security == "none" and not is_loopback(mail.host):
        yield (mail.host,)


def _no_reply(settings: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    named = [("sender in [mail]", settings.mail.sender)]
    for one in lists:
        named += [(f'{key} of list "{one.slug}"', getattr(one, key)) for key in ("sender", "reply_to")]
    for where, sender in named:
        if _NOBODY_READS.search(sender.rpartition("<")[2].rpartition("@")[0]):
            yield (where,)


def _notice(_: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    for one in lists:
        if missing := [key for key in LEGAL_NOTICE if not getattr(one, key)]:
            yield one.slug, ", ".join(missing)


def _policy(_: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    yield from ((one.slug,) for one in lists if not one.policy_url)


def _wording(_: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    for one in lists:
        if lacks := _unsaid(one.wording, [one]):
            yield f'"{one.slug}"', lacks
        for tag, said in one.texts.items():
            if said.wording and (lacks := _unsaid(said.wording, [said, one])):
                yield f'"{one.slug}", {tag},', lacks


def _unsaid(wording: str, texts: Sequence[ListTexts | ListSettings]) -> str:
    """What a wording leaves out. Names may stand in its language, which come first, or in the list's own."""
    said = _words(wording)
    whose = [one.controller for one in texts if one.controller]
    what = [f"{one.name} {one.description}" for one in texts]
    lacks = [] if not whose or said & _words(*whose) else [f"who sends ({whose[0]})"]
    if not said & _words(*what):
        lacks.append(f"what ({next(one.name for one in texts if one.name)})")
    return " and ".join(lacks)


def _words(*texts: str) -> frozenset[str]:
    """Those by which something can be told: long ones that are no name for everybody."""
    return frozenset(re.findall(r"\w{3,}|[^\W\d_]{2}(?!\w)", " ".join(texts).casefold())) - _NAME_NOBODY


def _labels(_: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    """Of a key that lists use for different questions, or purposes, the form of all of them asks the first."""
    first: dict[str, tuple[str, str]] = {}
    for one in lists:
        for key, _colon, said in (text.partition(":") for text in one.fields):
            label = ": ".join(line.strip() for line in said.splitlines())
            slug, before = first.setdefault(key, (one.slug, label))
            if before != label:
                yield key, before, slug, label, one.slug


def _time_zone(_: Settings, lists: Lists) -> Iterator[tuple[str, ...]]:
    if machine_zone() in _UTC:
        yield from ((one.slug,) for one in lists if not one.timezone)


def _open_files(settings: Settings, _: Lists) -> Iterator[tuple[str, ...]]:
    secret = (settings.data_dir / name for name in (keys.SECRET_KEY, keys.PEPPER))
    files = [*sqlite.files_of(settings.sqlite_file), *(path for path in secret if path.is_file())]
    yield from ((str(path),) for path in sqlite.lax(files))


ROWS = (
    Finding("legal notice", _notice, 'list "{}" has no {}: its emails need these for the legal notice'),
    Finding("privacy policy", _policy, 'list "{}" has no policy_url: people cannot read the policy they agree to'),
    Finding("wording", _wording, 'the wording of list {} does not say {}: people must know who will send what'),
    Finding("sender", _no_reply, "{} tells people not to reply: use an address that somebody reads"),
    Finding("plain text", _plain, 'security in [mail] is "none": every email, with its links, crosses the network to '
            '{} unencrypted; set it to "starttls" or "tls"'),
    Finding("labels", _labels, 'the field {} is called "{}" in list "{}" and "{}" in list "{}": a form for both '
            "shows the first label; use one label, or two keys"),
    Finding("time zone", _time_zone, 'list "{}" has no timezone and this machine uses UTC: its emails and pages show '
            'times in UTC; set one, such as "Europe/Berlin"'),
    Finding("files", _open_files, "other users of this machine can read {}, and this service may not change that: as "
            "its owner, run chmod 600 on it"),
)  # fmt: skip


PAGE = 'the privacy policy of list "{}" in "{}", {}, {} (since {}); the version that was kept before still holds'


def of(settings: Settings, lists: Sequence[ListSettings], pages: Iterable[tuple[str, ...]] = ()) -> list[str]:
    """One sentence each; of these lists, their policies' `pages`, and of the service."""
    said = [row.sentence.format(*filled) for row in ROWS for filled in row.when(settings, lists)]
    return said + [PAGE.format(*page) for page in pages]
