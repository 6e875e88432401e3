"""What to do about a relay that cannot be talked to: one sentence, for the log, /readyz and `yestwice mail test`."""

import errno
import smtplib
import socket
import ssl

from subscriptions.mail.wire import NoLogin, Wire
from subscriptions.settings import Mail as Settings

PORTS = 'port 465 wants security = "tls", port 587 "starttls"'
_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_OTHER_NAME = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def advice(error: Exception, settings: Settings, wire: Wire) -> str:
    """What the relay said or did while the line was opened, and what mends it."""
    where = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLError):
        return _of_tls(error, settings, where)
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_reply(error)
    if isinstance(error, NoLogin):
        return str(error)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return f"{where} offers no STARTTLS: {PORTS}"
    if isinstance(error, socket.gaierror):
        return f'the name "{settings.host}" cannot be looked up: check host in [mail], and the DNS of this machine'
    if wire.is_connected and isinstance(error, (TimeoutError, smtplib.SMTPServerDisconnected)):
        return _of_silence(error, settings, wire, where)
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on {where}: check host and port in [mail]; {PORTS}"
    if isinstance(error, TimeoutError) or (isinstance(error, OSError) and error.errno in _NO_WAY):
        return f"{where} cannot be reached: check host and port in [mail], and whether a firewall is in the way"
    return said(error)


def said(error: Exception) -> str:
    """What went wrong on a line that stands."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply(error)
    if isinstance(error, TimeoutError):
        return "the relay did not answer in time"
    return str(error)[:500] or type(error).__name__


def _reply(error: smtplib.SMTPResponseException) -> str:
    text = error.smtp_error
    return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"[:500]


def _of_reply(error: smtplib.SMTPResponseException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return f"{_reply(error)}: check username and password in [mail]"
    return _reply(error)


def _of_tls(error: ssl.SSLError, settings: Settings, where: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        wrong = f"the relay's certificate is not valid: {error.verify_message.rstrip('.')}"
        if error.verify_code in _OTHER_NAME:
            return f"{wrong}; set host in [mail] to a name in that certificate"
        return f"{wrong}; for an authority of your own, set SSL_CERT_FILE to its certificate"
    if settings.security == "tls":
        return f"{where} does not start with TLS: {PORTS}"
    return f"no TLS with {where} after STARTTLS: {error.reason or error}"


def _of_silence(error: Exception, settings: Settings, wire: Wire, where: str) -> str:
    what = "did not answer in time" if isinstance(error, TimeoutError) else "hung up"
    if wire.is_greeted:
        return f"the relay {what}"
    hint = PORTS if settings.security != "tls" else f"it may be busy, or may not start with TLS; {PORTS}"
    return f"{where} {what} before its greeting: {hint}"
