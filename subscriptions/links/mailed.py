"""Links of mails and what their pages carry along, one salt per purpose, and the keyed hash of an address."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from subscriptions.clock import Clock, StoppedClock
from subscriptions.domain.address import key_of, mailbox_of
from subscriptions.links.by_mail import ByMail
from subscriptions.links.desk import DeskTokens
from subscriptions.links.handles import Codes, Handles, SealedAddresses, Visit
from subscriptions.links.purposes import (
    ACCOUNT,
    CONFIRM,
    LEAVE,
    LIST,
    NO_NUMBERS,
    NOT_ME,
    PREFERENCES,
    PROLONGED,
    SESSION,
    OfMailbox,
    Tokens,
)
from subscriptions.links.signing import BadLink, derived, mac_of

ID = 16  # octets of HMAC-SHA256


class OldLink(Exception):
    """The token is ours, but older than any registration that waits: it may show what became of `ref`, not confirm."""

    def __init__(self, ref: bytes) -> None:
        super().__init__("an old link")
        self.ref = ref


@dataclass(frozen=True, slots=True)
class NotMe:
    """`mailbox`, here and below: its key, where the address is one spelling of another mailbox."""

    ref: bytes
    list_id: int
    key: bytes
    mailbox: bytes | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    list_id: int  # 0: every one
    key: bytes


@dataclass(frozen=True, slots=True)
class Opener:
    """What a link to the preferences says: whose, which one of theirs, and until when."""

    key: bytes
    nonce: bytes
    until: datetime
    hash: bytes  # what is remembered of a used link
    mailbox: bytes | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Whose preferences page this is, and until when it works."""

    key: bytes
    until: datetime
    mailbox: bytes | None = None
    may_prolong: bool = True


class Links:
    """Writes and reads every signed thing that leaves the house.

    `secret_keys`: newest first; the first signs, all verify for ever. `confirm_life`: how long after it was
    written a confirm link is read at all; whether it still confirms is asked of the registration. `leave_at`,
    `in_address`: as `ByMail` has them.
    """

    def __init__(
        self, base_url: str, secret_keys: Sequence[bytes], pepper: bytes, clock: Clock, confirm_life: timedelta,
        leave_at: str = "", *, in_address: bool = False,
    ) -> None:  # fmt: skip
        self._base = base_url.rstrip("/")
        self.secret_keys = self._keys = [bytes(key) for key in secret_keys]
        self._pepper = hashlib.sha256(pepper).digest()
        self._id_key = derived(b"id of a subscription", self._pepper)
        self._life = confirm_life
        self._clock = clock
        self._confirm = Tokens(replace(CONFIRM, life=confirm_life), self._keys, clock)
        self._not_me = OfMailbox(NOT_ME, self._keys, clock)
        self._leave = Tokens(LEAVE, self._keys, clock)
        self._no_numbers = Tokens(NO_NUMBERS, self._keys, clock)
        self._preferences = OfMailbox(PREFERENCES, self._keys, clock)
        self._sessions = OfMailbox(SESSION, self._keys, clock)
        self._prolonged = OfMailbox(PROLONGED, self._keys, clock)
        self._handles = Handles(self._keys)
        self.addresses = SealedAddresses(self._keys)
        self.codes = Codes(self._keys)
        self.desk = DeskTokens(self._keys, clock)
        self.by_mail = ByMail(self._keys, leave_at, in_address)

    def as_written(self, at: datetime) -> Iterator["Links"]:
        """As links were written at that time, once for each key that may have signed them."""
        for key in self._keys:
            yield Links(self._base, [key], b"", StoppedClock(at), self._life, in_address=True)

    def key(self, folded: str) -> bytes:
        """The key of an address: what the database knows it by."""
        return key_of(folded, self._pepper)

    def mailbox_key(self, folded: str) -> bytes | None:
        """The key of the mailbox, where the address is one spelling of another: by which its mails are counted."""
        mailbox = mailbox_of(folded)
        return self.key(mailbox) if mailbox != folded else None

    def network_key(self, network: str) -> bytes:
        """The keyed hash by which sign-ups of one network are counted."""
        return key_of(f"network {network}", self._pepper)

    def domain_name(self, domain: str) -> str:
        """By what the traffic of a mail domain is counted: a keyed hash as well, written out."""
        return key_of(f"domain {domain}", self._pepper).hex()

    def message_key(self, message_id: str) -> bytes:
        """The keyed hash by which a message that has come is known again."""
        return key_of(f"message {message_id}", self._pepper)

    def try_key(self, of: bytes) -> bytes:
        """The keyed hash by which wrong codes are counted: for a visit or an address, and neither can be told."""
        return key_of(f"tries {of.hex()}", self._pepper)

    def subscription_ids(self, slug: str) -> Callable[[bytes], str]:
        """By the key of an address, by what other programs know its subscription to that list; it says nothing else."""
        mac, of_list = mac_of(self._id_key), slug.encode() + b"\x00"
        return lambda key: mac(of_list + key)[:ID].hex()

    def new_handle(self, webmail: int = 0) -> str:
        """The handle of a visit that is happening now; `webmail`: number of the typed domain's."""
        return self._handles.new(self._clock.now(), webmail)

    def visit(self, handle: str) -> Visit | None:
        """What a handle of ours says; None for any other text."""
        return self._handles.read(handle)

    def ref(self, handle: str) -> bytes:
        """The reference that belongs to the form of a new handle."""
        return self._handles.ref(handle)

    def tab(self, ref: bytes) -> str:
        """By which a confirm page and the open page of its sign-up know each other; of no use to anyone else."""
        return hashlib.blake2b(ref, key=self._pepper, digest_size=9, person=b"tab").hexdigest()

    def confirm_token(self, ref: bytes) -> str:
        return self._confirm.write(ref)

    def not_me_token(self, ref: bytes, list_id: int, key: bytes, mailbox: bytes | None = None) -> str:
        return self._not_me.write(ref, key, list_id.to_bytes(LIST), mailbox=mailbox)

    def leave_token(self, list_id: int, key: bytes) -> str:
        return self._leave.write(key, list_id.to_bytes(LIST))

    def no_numbers_token(self, account_id: int) -> str:
        return self._no_numbers.write(account_id.to_bytes(ACCOUNT))

    def preferences_token(self, nonce: bytes, key: bytes, mailbox: bytes | None = None) -> str:
        return self._preferences.write(nonce, key, mailbox=mailbox)

    def session_token(self, key: bytes, mailbox: bytes | None = None) -> str:
        return self._sessions.write(key, mailbox=mailbox)

    def prolonged_token(self, session: Session) -> str:
        """The session begun again; that one is not prolonged any more."""
        return self._prolonged.write(session.key, mailbox=session.mailbox)

    def url(self, *path: str) -> str:
        return "/".join((self._base, *path))

    def confirm_url(self, ref: bytes) -> str:
        return self.url("confirm", self.confirm_token(ref))

    def not_me_url(self, ref: bytes, list_id: int, key: bytes, mailbox: bytes | None = None) -> str:
        return self.url("not-me", self.not_me_token(ref, list_id, key, mailbox))

    def leave_url(self, list_id: int, key: bytes) -> str:
        return self.url("unsubscribe", self.leave_token(list_id, key))

    def one_click_headers(self, *urls: str, between: str = ", ") -> dict[str, str]:
        """The header pair of RFC 8058 for a mail whose unsubscribe URL is the first; behind it may stand a mailto."""
        named = between.join(f"<{url}>" for url in urls if url)
        return {"List-Unsubscribe": named, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}

    def read_confirm(self, text: str) -> bytes:
        """The reference in a confirm token; raises BadLink or OldLink."""
        (ref,), until, _ = self._confirm.read(text)
        if until is None or self._clock.now() > until:
            raise OldLink(ref)
        return ref

    def read_not_me(self, text: str) -> NotMe:
        ((ref, key, list_), _, _), mailbox = self._not_me.read(text)
        return NotMe(ref, int.from_bytes(list_), key, mailbox)

    def read_leave(self, text: str) -> Leave:
        key, list_ = self._leave.read(text).parts
        return Leave(int.from_bytes(list_), key)

    def read_no_numbers(self, text: str) -> int:
        """The id of the account that wants no numbers any more."""
        return int.from_bytes(self._no_numbers.read(text).parts[0])

    def read_preferences(self, text: str) -> Opener:
        """One that is too old is still read, as a session is: it says who asks."""
        ((nonce, key), until, used), mailbox = self._preferences.read(text)
        if until is None or used is None:
            raise BadLink
        return Opener(key, nonce, until, used, mailbox)

    def read_session(self, text: str) -> Session:
        try:
            (((key,), until, _), mailbox), is_first = self._sessions.read(text), True
        except BadLink:
            (((key,), until, _), mailbox), is_first = self._prolonged.read(text), False
        if until is None:
            raise BadLink
        return Session(key, until, mailbox, is_first)


def fingerprint(pepper: bytes) -> str:
    """What the database keeps to notice another pepper; it gives nothing away."""
    return hmac.digest(pepper, b"fingerprint", "sha256").hex()[:32]
