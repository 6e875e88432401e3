"""What is allowed and will hurt: a row for each, said at the start, by /readyz and by `yestwice mail lint`."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from subscriptions import keys
from subscriptions.clock import machine_zone
from subscriptions.domain.texts import Sentence, marked
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
Filled = Iterator[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Finding:
    """`when`: what fills the sentence, once for each time that it holds; none, and all is well."""

    name: str
    when: Callable[[Settings, Lists], Filled]
    sentence: str


def _plain(settings: Settings, _: Lists) -> Filled:
    mail = settings.mail
    if mail.transport == "smtp" and mail.security == "none" and not is_loopback(mail.host):
        yield {"host": mail.host}


def _no_reply(settings: Settings, lists: Lists) -> Filled:
    named = [("sender in [mail]", settings.mail.sender)]
    for one in lists:
        named += [(f'{key} of list "{one.slug}"', getattr(one, key)) for key in ("sender", "reply_to")]
    for where, sender in named:
        if _NOBODY_READS.search(sender.rpartition("<")[2].rpartition("@")[0]):
            yield {"where": where}


def _notice(_: Settings, lists: Lists) -> Filled:
    for one in lists:
        if missing := [key for key in LEGAL_NOTICE if not getattr(one, key)]:
            yield {"list": one.slug, "what": ", ".join(missing)}


def _policy(_: Settings, lists: Lists) -> Filled:
    yield from ({"list": one.slug} for one in lists if not one.policy_url)


def _wording(_: Settings, lists: Lists) -> Filled:
    for one in lists:
        if lacks := _unsaid(one.wording, [one]):
            yield {"list": f'"{one.slug}"', "what": lacks}
        for tag, said in one.texts.items():
            if said.wording and (lacks := _unsaid(said.wording, [said, one])):
                yield {"list": f'"{one.slug}", {tag},', "what": lacks}


def _unsaid(wording: str, texts: Sequence[ListTexts | ListSettings]) -> Sentence | None:
    """What a wording leaves out. Names may stand in its language, which come first, or in the list's own."""
    said = _words(wording)
    whose = [one.controller for one in texts if one.controller]
    what = [f"{one.name} {one.description}" for one in texts]
    has_who, has_what = not whose or said & _words(*whose), said & _words(*what)
    values = {"who": whose[0] if whose else "", "what": next(one.name for one in texts if one.name)}
    if has_who and has_what:
        return None
    only_who, only_what = marked("who sends (%(who)s)"), marked("what (%(what)s)")
    both = marked("who sends (%(who)s) and what (%(what)s)")
    return Sentence(only_what if has_who else only_who if has_what else both, **values)


def _words(*texts: str) -> frozenset[str]:
    """Those by which something can be told: long ones that are no name for everybody."""
    return frozenset(re.findall(r"\w{3,}|[^\W\d_]{2}(?!\w)", " ".join(texts).casefold())) - _NAME_NOBODY


def _labels(_: Settings, lists: Lists) -> Filled:
    """Of a key that lists use for different questions, or purposes, the form of all of them asks the first."""
    first: dict[str, tuple[str, str]] = {}
    for one in lists:
        for key, _colon, said in (text.partition(":") for text in one.fields):
            label = ": ".join(line.strip() for line in said.splitlines())
            slug, before = first.setdefault(key, (one.slug, label))
            if before != label:
                yield {"key": key, "label": before, "list": slug, "other_label": label, "other_list": one.slug}


def _time_zone(_: Settings, lists: Lists) -> Filled:
    if machine_zone() in _UTC:
        yield from ({"list": one.slug} for one in lists if not one.timezone)


def _open_files(settings: Settings, _: Lists) -> Filled:
    secret = (settings.data_dir / name for name in (keys.SECRET_KEY, keys.PEPPER))
    files = [*sqlite.files_of(settings.sqlite_file), *(path for path in secret if path.is_file())]
    yield from ({"path": path} for path in sqlite.lax(files))


ROWS = (
    Finding("legal notice", _notice,
            marked('list "%(list)s" has no %(what)s: its emails need these for the legal notice')),
    Finding("privacy policy", _policy,
            marked('list "%(list)s" has no policy_url: people cannot read the policy they agree to')),
    Finding("wording", _wording,
            marked("the wording of list %(list)s does not say %(what)s: people must know who will send what")),
    Finding("sender", _no_reply, marked("%(where)s tells people not to reply: use an address that somebody reads")),
    Finding("plain text", _plain,
            marked('security in [mail] is "none": every email, with its links, crosses the network to %(host)s '
                   'unencrypted; set it to "starttls" or "tls"')),
    Finding("labels", _labels,
            marked('the field %(key)s is called "%(label)s" in list "%(list)s" and "%(other_label)s" in list '
                   '"%(other_list)s": a form for both shows the first label; use one label, or two keys')),
    Finding("time zone", _time_zone,
            marked('list "%(list)s" has no timezone and this machine uses UTC: its emails and pages show times in UTC; '
                   'set one, such as "Europe/Berlin"')),
    Finding("files", _open_files,
            marked("other users of this machine can read %(path)s, and this service may not change that: as its owner, "
                   "run chmod 600 on it")),
)  # fmt: skip


PAGE = marked(
    'the privacy policy of list "%(list)s" in "%(tag)s", %(url)s, %(problem)s (since %(time)s); the version that was '
    "kept before still applies"
)


def of(
    settings: Settings, lists: Sequence[ListSettings], pages: Iterable[Mapping[str, object]] = ()
) -> list[str]:  # fmt: skip
    """One sentence each; of these lists, their policies' `pages`, and of the service."""
    said: list[str] = [Sentence(row.sentence, **filled) for row in ROWS for filled in row.when(settings, lists)]
    return said + [Sentence(PAGE, **page) for page in pages]
