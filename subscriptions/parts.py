"""The parts that an application is joined from, and the way to them from a request."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, current_app

from subscriptions import disposable, fetch, findings, keys
from subscriptions.actions import policies
from subscriptions.actions.gate import Refusal
from subscriptions.actions.group import GroupCommit
from subscriptions.actions.subscribe import SignUp, subscribe
from subscriptions.busy import BusyNetworks, Guesses
from subscriptions.clock import Clock
from subscriptions.domain.address import BadAddress, mailbox_of, named, parse
from subscriptions.domain.mailable import Mailable
from subscriptions.domain.sites import origin_of
from subscriptions.languages import Languages
from subscriptions.links import fingerprint
from subscriptions.links.forms import FormTokens
from subscriptions.links.seal_key import SealKey
from subscriptions.links.work import ProofOfWork
from subscriptions.lookup import Lookup
from subscriptions.mail.compose import Composer
from subscriptions.mail.outbox import Sender
from subscriptions.mail.setup import lines
from subscriptions.settings import ListSettings, Settings
from subscriptions.settings.check import is_loopback
from subscriptions.store import lists, mode
from subscriptions.store.counters import Tally
from subscriptions.store.engine import WentLive, reading
from subscriptions.store.lists import Catalogue
from subscriptions.store.models import List
from subscriptions.watch import Watch

NAME = "subscriptions"
log = logging.getLogger(__name__)


class Parts:
    """One sign-up batch at a time, one sender, one clock."""

    def __init__(self, app: Flask, settings: Settings, clock: Clock) -> None:
        secrets, abuse, mail = keys.secret_keys(settings), settings.abuse, settings.mail
        self.settings, self.clock, self.policy, self.languages = settings, clock, settings.policy, Languages()
        self.began, self.origin = clock.now(), origin_of(settings.server.base_url) or ""  # ours, as browsers name it
        self.links = keys.links(settings, clock)
        self.seal_key, self.pepper_mark = SealKey(keys.pepper(settings)), fingerprint(keys.pepper(settings))
        self.watch = Watch(settings.thresholds, clock, self.links.domain_name, lambda n: self.catalogue.lists[n].slug)
        self.watch.mails = bool(abuse.alarm_to)
        composer = Composer(app.jinja_env, settings, self.links, lambda: self.catalogue, self.languages)
        composer.name_cause = self.watch.name
        new_line = lines(app, settings, clock)
        self.sender = Sender(app, composer, clock, new_line, mail.connections, mail.max_per_minute)
        self.sign_ups: GroupCommit[SignUp, Refusal | None] = GroupCommit(self._take, app.app_context)
        self.disposable = disposable.disposable_domains(settings.data_dir)
        self.disposable_since = disposable.renewed_at(settings.data_dir)
        self.lookup = Lookup(abuse.nameservers, clock)
        self.forms, self.work = FormTokens(secrets), ProofOfWork(secrets, clock)
        self.tally, self.busy, self.guesses = Tally[str](), BusyNetworks(), Guesses()
        self.reads = Tally[tuple[str, str, datetime]]()  # of tokens, for the audit
        self.wake_sender: Callable[[], None] = lambda: None
        self.misfits: list[str] = []  # of the configuration and the database
        self.warnings: list[str] = []
        self.look: tuple[float, list[str], dict[str, Any]] | None = None  # of /readyz, and when it began (ticks)
        self._catalogue: Catalogue | None = None
        self._mailable: tuple[Catalogue, Mailable] | None = None  # and of which lists
        self._tries_out = False

    def _take(self, sign_ups: Sequence[SignUp]) -> list[Refusal | None]:
        answers = subscribe(sign_ups, self.clock.now(), self.policy, self.tally)
        try:
            self.wake_sender()
        except Exception as error:  # they are signed up, whatever this was: the sender also looks by itself
            log.warning("the sender is not woken", extra={"error": type(error).__name__})
        return answers

    @property
    def catalogue(self) -> Catalogue:
        """As this process has looked it up last; swapped whole, so whoever holds one holds it to the end."""
        return self._catalogue or self._read()

    def _read(self) -> Catalogue:
        """The lists anew, with what hangs on them."""
        self._catalogue = lists.read_catalogue()
        self.warn()
        return self._catalogue

    @property
    def mailable(self) -> Mailable:
        """Which addresses are mailed at all."""
        if self._mailable is None or self._mailable[0] is not self.catalogue:
            self._mailable = self.catalogue, mailable(self.settings, self.said_lists())
        return self._mailable[1]

    def warn(self) -> None:
        """What is allowed and will hurt; while things are tried out nobody is hurt."""
        is_tried = self.settings.mail.transport == "mailbox"
        self.warnings[:] = [*self.misfits, *([] if is_tried else self.findings(self.catalogue.configured))]

    def findings(self, rows: Sequence[List]) -> list[str]:
        """Of these lists and of the service."""
        said = [lists.told(row, self.catalogue.wordings) for row in rows]
        return findings.of(self.settings, said, policies.wrong(self.catalogue, rows))

    def read_page(self, source: str) -> tuple[str, bytes]:
        """A privacy policy; on this machine only where the service itself is only there."""
        near = is_loopback(urlsplit(self.settings.server.base_url).hostname or "")
        return fetch.read(source, self.settings.root, near=near)

    def said_lists(self) -> list[ListSettings]:
        """Those that take sign-ups, as the configuration would say them."""
        return [lists.told(row, self.catalogue.wordings) for row in self.catalogue.configured]

    def follow(self) -> None:
        """Look what another process may have changed: the lists, and in try-out mode the clock."""
        self.follow_clock()
        with reading() as session:
            version = lists.version(session)
        if self._catalogue is None or self._catalogue.version != version:
            self._read()

    def follow_clock(self) -> None:
        """In try-out mode the clock stands where the time machine has put it, for every process.

        Raises WentLive where that mode has ended meanwhile.
        """
        if self.settings.mail.transport == "mailbox":
            with reading() as session:
                self.clock.ahead = timedelta(seconds=mode.clock_ahead(session))
                is_for_it = mode.noted(session) is mode.Mode.TRY_OUT
            if self._tries_out and not is_for_it:
                raise WentLive("this database has gone live: end this process, which is in try-out mode")
            self._tries_out = is_for_it

    def begin_anew(self) -> None:
        """In a forked child: nothing of what its parent was in the middle of."""
        for part in (self.sender, self.sign_ups, self.tally, self.reads, self.watch):
            part.begin_anew()
        self.follow()


def current_parts(app: Flask | None = None) -> Parts:
    """The parts of the application at hand."""
    return cast(Parts, (app or current_app).extensions[NAME])


def init_app(app: Flask, settings: Settings, clock: Clock) -> None:
    app.extensions[NAME] = Parts(app, settings, clock)


def mailable(settings: Settings, said: Sequence[ListSettings]) -> Mailable:
    """Which addresses this installation mails at all: not its own, nor those that its lists name."""
    abuse = settings.abuse
    contacts = [one.privacy_contact for one in said]
    contacts += [texts.privacy_contact for one in said for texts in one.texts.values()]
    contacts += [text for one in said for text in (one.sender, one.reply_to)]
    ours = [settings.mail.sender, settings.mail.envelope_sender, settings.inbound.address, *contacts]
    own = frozenset(mailbox for text in ours if (mailbox := _mailbox(text)))
    return Mailable(frozenset(abuse.blocked_domains), frozenset(abuse.allowed_domains), own, abuse.role_addresses)


def _mailbox(text: str) -> str | None:
    try:
        return mailbox_of(parse(named(text)[1]).folded)
    except BadAddress:
        return None
