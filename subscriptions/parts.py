"""The parts that an application is joined from, and the way to them from a request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from typing import cast

from flask import Flask, current_app

from subscriptions import disposable, keys
from subscriptions.actions.gate import Refusal
from subscriptions.actions.group import GroupCommit
from subscriptions.actions.subscribe import SignUp, subscribe
from subscriptions.busy import BusyNetworks
from subscriptions.clock import Clock
from subscriptions.domain.address import BadAddress, parse
from subscriptions.domain.mailable import Mailable
from subscriptions.domain.policy import Policy
from subscriptions.languages import Languages
from subscriptions.links import Links
from subscriptions.links.forms import FormTokens
from subscriptions.links.work import ProofOfWork
from subscriptions.lookup import Lookup
from subscriptions.mail.compose import Composer
from subscriptions.mail.outbox import Sender
from subscriptions.mail.setup import lines
from subscriptions.settings import Settings
from subscriptions.store import lists, meta
from subscriptions.store.counters import Tally
from subscriptions.store.engine import reading
from subscriptions.store.lists import Catalogue
from subscriptions.watch import Watch

NAME = "subscriptions"


@dataclass
class Parts:
    settings: Settings
    policy: Policy
    clock: Clock
    links: Links
    languages: Languages
    sign_ups: GroupCommit[SignUp, Refusal | None]
    sender: Sender
    watch: Watch
    mailable: Mailable
    disposable: frozenset[str]
    lookup: Lookup
    forms: FormTokens
    work: ProofOfWork
    tally: Tally
    busy: BusyNetworks
    wake_sender: Callable[[], None] = lambda: None
    warnings: list[str] = field(default_factory=list)
    _catalogue: Catalogue | None = None

    @property
    def catalogue(self) -> Catalogue:
        """As this process has looked it up last; swapped whole, so whoever holds one holds it to the end."""
        if self._catalogue is None:
            self._catalogue = lists.read_catalogue()
        return self._catalogue

    def follow(self) -> None:
        """Look what another process may have changed: the lists, and in try-out mode the clock."""
        self.follow_clock()
        with reading() as session:
            version = lists.version(session)
        if self._catalogue is None or self._catalogue.version != version:
            self._catalogue = lists.read_catalogue()

    def follow_clock(self) -> None:
        """In try-out mode the clock stands where the time machine has put it, for every process."""
        if self.settings.mail.transport == "mailbox":
            with reading() as session:
                self.clock.ahead = timedelta(seconds=float(meta.get(session, "clock_ahead") or 0))

    def begin_anew(self) -> None:
        """In a forked child: nothing of what its parent was in the middle of."""
        for part in (self.sender, self.sign_ups, self.tally, self.watch):
            part.begin_anew()
        self.follow()


def current_parts(app: Flask | None = None) -> Parts:
    """The parts of the application at hand."""
    return cast(Parts, (app or current_app).extensions[NAME])


def init_app(app: Flask, settings: Settings, clock: Clock) -> None:
    """Join the parts: one sign-up batch at a time, one sender, one clock."""
    policy = settings.policy
    links, languages = make_links(settings, clock), Languages()
    sender = Sender(
        app,
        Composer(app.jinja_env, settings, links, lambda: current_parts(app).catalogue, languages),
        clock,
        lines(app, settings, clock),
        connections=settings.mail.connections,
        max_per_minute=settings.mail.max_per_minute,
    )
    tally, secrets = Tally(), keys.secret_keys(settings)

    def take(sign_ups: Sequence[SignUp]) -> list[Refusal | None]:
        answers = subscribe(sign_ups, clock.now(), policy, tally)
        current_parts(app).wake_sender()
        return answers

    watch = Watch(
        settings.thresholds,
        clock,
        links.domain_name,
        lambda list_id: current_parts(app).catalogue.lists[list_id].slug,
        mails=bool(settings.abuse.alarm_to),
    )
    sender.composer.name_cause = watch.name
    app.extensions[NAME] = Parts(
        settings,
        policy,
        clock,
        links,
        languages,
        GroupCommit(take, app.app_context),
        sender,
        watch,
        mailable(settings),
        disposable.disposable_domains(settings.data_dir),
        Lookup(settings.abuse.nameservers, clock),
        FormTokens(secrets),
        ProofOfWork(secrets, clock),
        tally,
        BusyNetworks(),
    )


def mailable(settings: Settings) -> Mailable:
    """Which addresses this installation mails at all."""
    abuse = settings.abuse
    ours = [
        settings.mail.sender,
        settings.mail.envelope_sender,
        *(configured.privacy_contact for configured in settings.lists),
    ]
    own = frozenset(folded for text in ours if (folded := _folded(text)))
    return Mailable(frozenset(abuse.blocked_domains), frozenset(abuse.allowed_domains), own, abuse.role_addresses)


def _folded(text: str) -> str | None:
    """The address in a setting that may be a sentence as well."""
    try:
        return parse(parseaddr(text)[1]).folded
    except BadAddress:
        return None


def make_links(settings: Settings, clock: Clock) -> Links:
    """Links with the keys of this installation, made at the first use."""
    life = timedelta(hours=settings.lifecycle.confirm_within_hours, days=62)  # longer than any row lives
    return Links(settings.server.base_url, keys.secret_keys(settings), keys.pepper(settings), clock, life)
