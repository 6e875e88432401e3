"""The configuration as the rest of the program knows it: one frozen Settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from subscriptions.domain.breaker import Thresholds
from subscriptions.domain.policy import Policy
from subscriptions.domain.texts import filled
from subscriptions.settings.spelling import rate

USUAL_WORDING = "Yes, I would like to receive “{name}” from {controller} by e-mail. I can unsubscribe at any time."


class BadSettings(Exception):
    """Everything that is wrong with the configuration, one sentence a line."""


@dataclass(frozen=True, slots=True)
class Server:
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    mail_process: bool = True
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    secret_keys: tuple[str, ...] = field(default=(), repr=False)
    pepper: str = field(default="", repr=False)
    data_dir: str = "var"
    journal: str = ""


@dataclass(frozen=True, slots=True)
class Database:
    url: str = field(default="sqlite:///subscriptions.db", repr=False)  # may hold a password


@dataclass(frozen=True, slots=True)
class Mail:
    transport: str = "mailbox"
    host: str = "127.0.0.1"
    port: int = 25
    security: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    sender: str = "Newsletter <newsletter@example.org>"
    envelope_sender: str = ""
    timeout_seconds: int = 10
    connections: int = 2
    max_per_minute: int = 0


@dataclass(frozen=True, slots=True)
class Inbound:
    address: str = ""
    token_in: str = "subject"  # noqa: S105 where it stands
    authserv_ids: tuple[str, ...] = ()
    imap_host: str = ""
    imap_port: int = 993
    imap_security: str = "tls"
    imap_username: str = ""
    imap_password: str = field(default="", repr=False)
    imap_folder: str = "INBOX"
    forward: str = ""
    keep_days: int = 30


@dataclass(frozen=True, slots=True)
class Lifecycle:
    confirm_within_hours: int = 24
    purge_after_days: int = 30
    keep_proof_years: int = 3
    keep_ip_months: int = 12


@dataclass(frozen=True, slots=True)
class Limits:
    confirmations_per_address: tuple[str, ...] = ("1/15m", "3/24h", "5/30d")
    signups_per_network: str = "200/1h"


@dataclass(frozen=True, slots=True)
class Abuse:
    proof_of_work: str = "under_attack"
    proof_of_work_from: str = "20/1h"
    fill_seconds: int = 2
    signups_per_minute: int = 600
    list_signups_per_minute: int = 300
    domain_signups_per_minute: int = 100
    unconfirmed_percent: int = 95
    alarm_to: str = ""
    blocked_domains: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    role_addresses: bool = False
    special_domains: bool = False
    hints: bool = True
    nameservers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Admin:
    enabled: bool = True
    networks: tuple[str, ...] = ()
    require_second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    head_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListTexts:
    """What a list says in one more language; what is empty is said in the list's own."""

    name: str = ""
    description: str = ""
    wording: str = ""
    policy_url: str = ""
    controller: str = ""
    postal_address: str = ""
    privacy_contact: str = ""
    fields: tuple[str, ...] = ()
    welcome_text: str = ""
    confirmed_text: str = ""
    policy_file: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True)
class ListSettings:
    slug: str = "newsletter"
    name: str = "Newsletter"
    description: str = ""
    locale: str = "en"
    wording: str = USUAL_WORDING
    policy_url: str = ""
    policy_file: str = ""
    controller: str = ""
    postal_address: str = ""
    privacy_contact: str = ""
    authority: str = ""
    imprint_url: str = ""
    sender: str = ""
    reply_to: str = ""
    timezone: str = ""
    address_form: str = "formal"
    welcome: bool = False
    welcome_text: str = ""
    confirmed_text: str = ""
    public: bool = True
    fields: tuple[str, ...] = ("name",)
    origins: tuple[str, ...] = ()
    thank_you_url: str = ""
    confirmed_url: str = ""
    colour: str = ""
    logo: str = ""
    texts: Mapping[str, ListTexts] = field(default_factory=dict, hash=False)  # by language tag, the list's own not

    def __post_init__(self) -> None:
        """Each wording names what is sent and who sends it in its own language, as far as that is known."""
        texts = {
            tag: replace(said, wording=_named(said.wording, said.name or self.name, said.controller or self.controller))
            for tag, said in self.texts.items()
        }
        object.__setattr__(self, "wording", _named(self.wording, self.name, self.controller))
        object.__setattr__(self, "texts", texts)


def _named(wording: str, name: str, controller: str) -> str:
    text = wording if controller else wording.replace(" from {controller}", "")
    text = text.replace("%", "%%").replace("{name}", "%(name)s").replace("{controller}", "%(controller)s")
    return filled(text, {"name": name, "controller": controller})


@dataclass(frozen=True, slots=True)
class Settings:
    server: Server = field(default_factory=Server)
    database: Database = field(default_factory=Database)
    mail: Mail = field(default_factory=Mail)
    inbound: Inbound = field(default_factory=Inbound)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    limits: Limits = field(default_factory=Limits)
    abuse: Abuse = field(default_factory=Abuse)
    admin: Admin = field(default_factory=Admin)
    evidence: Evidence = field(default_factory=Evidence)
    lists: tuple[ListSettings, ...] = (ListSettings(),)
    root: Path = Path()  # relative paths start here: see `places.home`
    names_lists: bool = field(default=True, compare=False)  # if not, the one above is the built-in, and the desk's

    @property
    def data_dir(self) -> Path:
        return (self.root / self.server.data_dir).resolve()

    @property
    def journal(self) -> Path:
        """The folder of the deletion journal: beside `data_dir`, so that it is not lost with it."""
        return (self.root / (self.server.journal or f"{self.data_dir}-journal")).resolve()

    @property
    def database_url(self) -> str:
        """The URL with a relative SQLite path made absolute in `data_dir`."""
        url = make_url(self.database.url)
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            url = url.set(database=str(self.data_dir / str(url.database)))
        return url.render_as_string(hide_password=False)

    @property
    def takes_special(self) -> bool:
        """Whether addresses under .local, .test and their like sign up; in try-out mode no mail leaves."""
        return self.abuse.special_domains or self.mail.transport == "mailbox"

    @property
    def sqlite_file(self) -> str | None:
        """The path of the database, where it is a file of ours."""
        url = make_url(self.database_url)
        return url.database if url.get_backend_name() == "sqlite" else None

    @property
    def thresholds(self) -> Thresholds | None:
        """From when on sign-ups are unusual; none: nothing is watched."""
        abuse = self.abuse
        by_scope = abuse.signups_per_minute, abuse.list_signups_per_minute, abuse.domain_signups_per_minute
        return Thresholds(*by_scope, abuse.unconfirmed_percent) if self.limits.signups_per_network else None

    @property
    def policy(self) -> Policy:
        life, limits, abuse = self.lifecycle, self.limits, self.abuse
        network = rate(limits.signups_per_network) if limits.signups_per_network else None
        proof_from = None  # sign-ups of a network, in the time that its limit counts in; none: that never matters
        if network and abuse.proof_of_work == "under_attack" and abuse.proof_of_work_from:
            start = rate(abuse.proof_of_work_from)
            proof_from = max(1, round(start.count * (network.period / start.period)))
        return Policy(
            confirm_within=timedelta(hours=life.confirm_within_hours),
            purge_after=timedelta(days=life.purge_after_days),
            keep_proof_years=life.keep_proof_years, keep_ip_months=life.keep_ip_months,
            mails=tuple(rate(text) for text in limits.confirmations_per_address),
            keep_letters=timedelta(days=self.inbound.keep_days), network=network, proof_from=proof_from,
        )  # fmt: skip
