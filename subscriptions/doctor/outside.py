"""The other end, the relay, and our own address as the world sees it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from subscriptions.clock import Clock
from subscriptions.doctor.finding import Asked, Finding, found
from subscriptions.fetch import HTTPS, why
from subscriptions.mail.smtp import Pause, SmtpConnection
from subscriptions.mail.wire import Wire
from subscriptions.settings.check import is_loopback

SOON, SECONDS = timedelta(days=14), 5.0
BEHIND, AHEAD = 600, 60  # seconds, of the relay's clock: an email may wait, and does not arrive before it is written
_LEAVE = {"list-unsubscribe", "list-unsubscribe-post"}
TO_GIVE = "yestwice doctor --message email.eml"
_PROBE = "unsubscribe/doctor"  # no signature of ours: it opens nothing, and is answered all the same


def one_click(asked: Asked) -> Iterator[Finding]:
    mail = asked.arrived
    assert mail is not None
    if not mail.leaves:
        yield found("arrived-none", TO_GIVE)
        return
    if mail.leaves == "other":
        yield found("leaves-elsewhere", f"List-Unsubscribe: <{asked.parts.settings.server.base_url}/…>")
    if not any(_LEAVE.issubset(one.covers) for one in mail.signatures):
        yield found("leaves-unsigned", "List-Unsubscribe:List-Unsubscribe-Post")


def arrived(asked: Asked) -> Iterator[Finding]:
    mail = asked.arrived
    if mail is None:
        yield found("arrived-none", TO_GIVE)
        return
    for name in ("spf", "dkim", "dmarc"):
        result = mail.results.get(name, "?")
        yield found("arrived-says" if result in ("pass", "?") else "arrived-fails", name=name.upper(), result=result)
    for name, (said, is_spam) in mail.spam.items():
        yield found("arrived-spam" if is_spam else "arrived-says", name=name, result=said)
    for host in mail.open:
        yield found("arrived-open", host=host)
    if not -BEHIND <= mail.ahead <= AHEAD:
        yield found("arrived-apart", "timedatectl set-ntp true", num=abs(mail.ahead))


def relay(asked: Asked) -> Iterator[Finding]:
    line, mail = asked.parts.sender.new_line(), asked.parts.settings.mail
    assert isinstance(line, SmtpConnection)
    try:
        wire = line.configure_host()
    except Pause as error:
        yield found("relay-down", "yestwice doctor --only relay", why=error)
        return
    with closing(wire):
        yield from _offers(wire, is_plain=mail.security == "none" and not is_loopback(mail.host))
        if isinstance(wire.sock, ssl.SSLSocket):
            yield from _ends(wire.sock, mail.host)


def _offers(wire: Wire, *, is_plain: bool) -> Iterator[Finding]:
    if is_plain and wire.has_extn("starttls"):
        yield found("relay-plain", 'security = "starttls"')
    if is_plain and wire.has_extn("auth"):
        yield found("relay-password", "smtpd_tls_auth_only = yes")
    if not wire.has_extn("smtputf8"):
        yield found("relay-ascii", "smtputf8_enable = yes")
    if not wire.has_extn("pipelining"):
        yield found("relay-slow")


def _ends(line: ssl.SSLSocket, host: str) -> Iterator[Finding]:
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str((line.getpeercert() or {})["notAfter"])), UTC)
    if end < Clock.real_now() + SOON:
        yield found("certificate", "certbot renew", host=host, day=f"{end:%F}")


def site(asked: Asked) -> Iterator[Finding]:
    """Our own address, which may be one of this machine or network. Nothing that leads on is followed."""
    base = asked.parts.settings.server.base_url.rstrip("/")
    url, host = urlsplit(base), urlsplit(base).hostname or ""
    if url.scheme == "http" and not is_loopback(host):
        yield found("url-plain", f'base_url = "https://{url.netloc}"')
    ways = {"redirect": False, "preload_content": False, "timeout": SECONDS}
    web = urllib3.PoolManager(ssl_context=ssl.create_default_context(), retries=False)
    try:
        answer = web.request("GET", f"{base}/healthz", **ways)  # type: ignore[arg-type]
        if url.scheme == "https":
            line = socket.create_connection((host, url.port or HTTPS), SECONDS)
            with ssl.create_default_context().wrap_socket(line, server_hostname=host) as secure:
                yield from _ends(secure, host)
            if "Strict-Transport-Security" not in answer.headers:
                yield found("url-hsts", "Strict-Transport-Security: max-age=31536000")
        yield from _healthy(answer, base)
        yield from _takes_posts(web.request("POST", f"{base}/{_PROBE}", **ways), base)  # type: ignore[arg-type]
    except (HTTPError, OSError) as error:
        yield found("url-away", f"curl -i {base}/healthz", url=base, why=why(error))


def _healthy(answer: urllib3.BaseHTTPResponse, base: str) -> Iterator[Finding]:
    to, body = urlsplit(urljoin(base, answer.headers.get("Location", ""))), answer.read(4096)
    if 300 <= answer.status < 400:
        there = f"{to.scheme}://{to.netloc}"[:200]
        yield found("url-leads", f'base_url = "{there}"', url=base, other=there)
    elif b'"live"' not in body:
        yield found("url-other", f"curl -i {base}/healthz", url=base, num=answer.status)


def _takes_posts(answer: urllib3.BaseHTTPResponse, base: str) -> Iterator[Finding]:
    leads = 300 <= answer.status < 400
    if leads or "X-Request-ID" not in answer.headers:  # which each answer of ours has
        copy = f"curl -i -X POST {base}/{_PROBE}"
        yield found("post-leads" if leads else "post-lost", copy, num=answer.status)
