"""The relay of the tests does what it is told, right or wrong."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from tests.support.faults import Stage
from tests.support.relay import DROP, HANG, Certificate, Mail, Relay

SHORT, PATIENCE = 0.5, 30.0  # for a reply that never comes, and for one that does
LONG = 20.0
TEXT = b"Subject: Hello\r\n\r\n.dots\r\n..\r\n"
LOGIN = ("anne", "s3cret")
STAGES: list[Stage] = ["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "end"]
FAILURES = (smtplib.SMTPException, OSError)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay(security="starttls", login=LOGIN) as relay:
        yield relay


@pytest.fixture
def plain() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


def trusting(relay: Relay) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=relay.ca_file)


def send(relay: Relay, recipient: str = "bart@example.org", timeout: float = LONG) -> None:
    """A client that goes through every stage."""
    with smtplib.SMTP(relay.host, relay.port, timeout=timeout) as client:
        if relay.offers.security == "starttls":
            client.starttls(context=trusting(relay))
        if relay.offers.login:
            client.login(*relay.offers.login)
        client.sendmail("anne@example.org", [recipient], TEXT)


def connected(relay: Relay) -> socket.socket:
    """A bare line, past the greeting and EHLO."""
    line = socket.create_connection((relay.host, relay.port), timeout=LONG)
    line.sendall(b"EHLO test\r\n")
    read_until(line, b"250 ")
    return line


def read_until(line: socket.socket, end: bytes) -> bytes:
    heard = b""
    while end not in heard and (piece := line.recv(4096)):
        heard += piece
    return heard


def test_a_mail_arrives_as_it_was_sent(relay: Relay) -> None:
    send(relay)
    assert relay.wait_for(1) == [Mail("anne@example.org", ("bart@example.org",), TEXT, (), True, "anne", 1)]
    assert relay.mails[0].message["subject"] == "Hello"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("code", [451, 554])
def test_every_stage_can_refuse(relay: Relay, stage: Stage, code: int) -> None:
    relay.behave(stage, f"{code} 4.3.0 not today")
    with pytest.raises(FAILURES) as failure:
        send(relay)
    assert str(code) in str(failure.value) or stage == "ehlo"
    assert relay.played(stage) >= 1
    assert relay.mails == []


@pytest.mark.parametrize("stage", [*STAGES, "body"])
@pytest.mark.parametrize("act", [HANG, DROP])
def test_every_stage_can_hang_or_drop_the_line(relay: Relay, stage: Stage, act: str) -> None:
    relay.behave(stage, act)
    with pytest.raises(FAILURES) as failure:
        send(relay, timeout=SHORT if act == HANG else PATIENCE)
    assert ("timed out" in str(failure.value)) is (act == HANG)
    assert relay.played(stage) == 1
    assert relay.mails == []


def test_a_fault_can_be_over_after_some_times(relay: Relay) -> None:
    relay.behave("rcpt", "450 4.2.0 first time", times=1)
    relay.behave("rcpt", "451 4.2.0 second time", times=1)
    for code in (450, 451):
        with pytest.raises(smtplib.SMTPRecipientsRefused, match=str(code)):
            send(relay)
    send(relay)
    assert len(relay.mails) == 1


def test_a_fault_can_meet_one_recipient_alone(relay: Relay) -> None:
    relay.behave("end", "554 5.7.1 not her", match="cris@")
    send(relay, "bart@example.org")
    with pytest.raises(smtplib.SMTPDataError):
        send(relay, "cris@example.org")
    assert [mail.recipients for mail in relay.mails] == [("bart@example.org",)]


@pytest.mark.parametrize("act", [HANG, DROP, "451 4.3.0 try again"])
def test_a_mail_can_be_kept_although_the_reply_is_lost(relay: Relay, act: str) -> None:
    relay.behave("end", act, times=1, keep=True)
    with pytest.raises(FAILURES):
        send(relay, timeout=SHORT)
    assert len(relay.wait_for(1)) == 1
    send(relay)
    assert len(relay.mails) == 2


def test_faults_can_be_forgotten(relay: Relay) -> None:
    relay.behave("mail", "451 4.3.0 no")
    relay.accept()
    send(relay)
    assert len(relay.mails) == 1


@pytest.mark.parametrize(
    ("stage", "act", "keep"),
    [("bed", DROP, False), ("mail", "no", False), ("body", "451 x", False), ("mail", DROP, True)],
)
def test_a_fault_that_cannot_be_played_is_refused(plain: Relay, stage: Stage, act: str, keep: bool) -> None:
    with pytest.raises(ValueError):
        plain.behave(stage, act, keep=keep)


def test_421_ends_the_line(plain: Relay) -> None:
    plain.behave("mail", "421 4.3.2 going down")
    with connected(plain) as line:
        line.sendall(b"MAIL FROM:<a@b.example>\r\n")
        assert read_until(line, b"nothing of the kind") == b"421 4.3.2 going down\r\n"


def test_a_pipelined_group_is_answered_in_order(plain: Relay) -> None:
    with connected(plain) as line:
        line.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        assert [reply[:3] for reply in read_until(line, b"354").splitlines()] == [b"250", b"250", b"354"]
        line.sendall(TEXT.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n")
        assert read_until(line, b"221 ").startswith(b"250 ")
    assert plain.mails[0].raw == TEXT


@pytest.mark.parametrize("group", [b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n", b"NOOP\r\nNOOP\r\n"])
def test_pipelining_is_refused_where_it_was_not_offered(plain: Relay, group: bytes) -> None:
    plain.offers.pipelining = False
    with connected(plain) as line:
        line.sendall(group)
        assert read_until(line, b"\n").startswith(b"503 ")


def test_smtputf8_is_taken_where_it_was_offered_and_refused_where_not(plain: Relay) -> None:
    mail = EmailMessage()
    mail["To"] = "jürgen@example.org"
    with smtplib.SMTP(plain.host, plain.port, timeout=LONG) as client:
        client.send_message(mail, "anne@example.org")
    assert (plain.mails[0].smtputf8, plain.mails[0].recipients) == (True, ("jürgen@example.org",))
    plain.offers.smtputf8 = False
    with smtplib.SMTP(plain.host, plain.port, timeout=LONG) as client, pytest.raises(smtplib.SMTPNotSupportedError):
        client.send_message(mail, "anne@example.org")
    with connected(plain) as line:
        line.sendall(b"MAIL FROM:<a@b.example> SMTPUTF8\r\n")
        assert read_until(line, b"\n").startswith(b"555 ")


@pytest.mark.parametrize("text", [b"A: b\n\nbare", b"A: b\r\n\r\n" + b"x" * 1001, "A: b\r\n\r\nü".encode()])
def test_a_text_that_breaks_the_rules_is_refused(plain: Relay, text: bytes) -> None:
    with connected(plain) as line:
        line.sendall(b"MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        read_until(line, b"354 ")
        line.sendall(text + b"\r\n.\r\n")
        assert read_until(line, b"554 ").endswith(b"\r\n")
    assert plain.mails == []


def implicit(relay: Relay) -> None:
    smtplib.SMTP_SSL(relay.host, relay.port, timeout=LONG, context=trusting(relay)).quit()


def starttls(relay: Relay) -> None:
    with smtplib.SMTP(relay.host, relay.port, timeout=LONG) as client:
        client.starttls(context=trusting(relay))


@pytest.mark.parametrize(("security", "client"), [("tls", implicit), ("starttls", starttls)])
def test_only_the_good_certificate_is_good(security: str, client: Callable[[Relay], None]) -> None:
    with Relay(security="tls" if security == "tls" else "starttls") as relay:
        client(relay)
        for bad in (Certificate.OTHER_HOST, Certificate.UNKNOWN_CA):
            relay.offers.certificate = bad
            with pytest.raises(ssl.SSLCertVerificationError):
                client(relay)


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_a_login_is_asked_for_and_checked(method: str) -> None:
    with Relay(login=LOGIN) as relay, smtplib.SMTP(relay.host, relay.port, timeout=LONG) as client:
        client.ehlo()
        assert client.mail("anne@example.org")[0] == 530
        client.user, client.password = "anne", "wrong"
        speak = client.auth_plain if method == "PLAIN" else client.auth_login
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.auth(method, speak)
        client.password = LOGIN[1]
        assert client.auth(method, speak)[0] == 235
        assert client.mail("anne@example.org")[0] == 250
        assert not any(word in " ".join(relay.commands) for word in ("c2VjcmV0", "s3cret", "AGFubmU"))


def test_a_stopped_relay_refuses_and_starts_again_on_its_port(plain: Relay) -> None:
    send(plain)
    plain.behave("mail", HANG)
    hanging = connected(plain)
    hanging.sendall(b"MAIL FROM:<>\r\n")
    plain.wait_until(lambda: plain.played("mail") == 1)
    plain.stop()
    with hanging:
        assert read_until(hanging, b"nothing") == b""
    with pytest.raises(ConnectionRefusedError):
        send(plain)
    plain.accept()
    plain.start()
    send(plain)
    assert (len(plain.mails), plain.connections) == (2, 3)


def test_a_slow_relay_takes_its_time_for_each_mail(plain: Relay) -> None:
    plain.offers.delay = 60
    with pytest.raises(FAILURES):
        send(plain, timeout=SHORT)
    plain.stop()
    assert plain.mails == []


def test_waiting_ends_when_the_mail_comes_or_the_patience_is_over(plain: Relay) -> None:
    with pytest.raises(TimeoutError):
        plain.wait_for(1, timeout=0)
    sender = threading.Thread(target=send, args=[plain])
    sender.start()
    assert len(plain.wait_for(1)) == 1
    sender.join()
    plain.wait_until(lambda: plain.open_connections == 0)
