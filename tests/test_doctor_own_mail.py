"""The test mail of Health that comes back where the mail that comes is read: then nobody has to paste it."""

from collections.abc import Callable
from functools import partial

from flask import Flask

from subscriptions.domain.arrivals import Outcome
from subscriptions.inbound import own_mail
from subscriptions.store.engine import reading
from tests.arriving import INBOUND, take
from tests.builders import NEWS, through
from tests.conftest import ManualClock
from tests.desk import at_the_desk
from tests.doctored import SIGNATURE
from tests.support.cases import ONE_DATABASE
from tests.support.letters_home import LEAVE
from tests.support.relay import Relay


@ONE_DATABASE
def test_the_test_mail_goes_to_the_inbound_address_as_well_and_is_read_there_as_it_arrived(
    make_app: Callable[..., Flask], clock: ManualClock
) -> None:
    with Relay() as relay, through(relay, partial(make_app, inbound=INBOUND), clock) as world:
        at_the_desk(world, email="ola@example.org").post("/admin/health/send", list=NEWS)
        own, back = relay.mails
        assert (own.recipients, back.recipients) == (("ola@example.org",), (LEAVE,))
        head = f"Authentication-Results: mx.news.example; dkim=fail\r\nDKIM-Signature: {SIGNATURE}\r\n".encode()
        assert take(world, b"Message-ID: <another@example.org>\r\n" + head + back.raw.split(b"\r\n", 1)[1]) is not (
            Outcome.DONE
        )
        assert take(world, head + back.raw) is Outcome.DONE
        with reading() as session:
            mail = own_mail.noted(session)
        assert mail is not None and (mail.results, mail.signatures[0].selector) == ({"dkim": "fail"}, "k1")
        assert take(world, head + back.raw) is Outcome.REPEATED
