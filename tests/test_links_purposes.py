"""What keeps the purposes of links apart (K-03): the salt and the size, each by itself, whatever the other says."""

import hashlib

import pytest
from itsdangerous import Signer, TimestampSigner
from itsdangerous.encoding import base64_encode

from subscriptions.links import BadLink
from subscriptions.links.purposes import PURPOSES, Purpose, Tokens, used_hash
from tests.support.cases import each
from tests.test_links import PURPOSE, SAYS, Stopped, read

SIZES = {"confirm": 16, "not-me": 36, "unsubscribe": 20}


def signed(purpose: str, salt: str, size: int) -> str:
    """As somebody with our key would make it: a token of that purpose's form, with any salt and size."""
    kind = type("Timed", (TimestampSigner,), {"get_timestamp": lambda _: int(Stopped().now().timestamp())})
    made = kind if purpose == "confirm" else Signer
    signer = made(b"the key of the tests", salt.encode(), digest_method=hashlib.sha256)
    return str(signer.sign(base64_encode(bytes(size))).decode())


@PURPOSE
def test_a_link_with_the_salt_and_the_size_of_its_purpose_is_read(purpose: str) -> None:
    assert isinstance(read(purpose, signed(purpose, purpose, SIZES[purpose])), type(SAYS[purpose]))


OTHER_SALTS = [(one, salt) for one in SIZES for salt in [*SIZES, "", "itsdangerous"] if salt != one]
OTHER_SIZES = [(one, size) for one in SIZES for size in (0, 15, 16, 17, 20, 32, 36, 37, 52) if size != SIZES[one]]


@each(("purpose", "salt"), OTHER_SALTS)
def test_a_link_with_the_salt_of_another_purpose_is_refused(purpose: str, salt: str) -> None:
    with pytest.raises(BadLink):
        read(purpose, signed(purpose, salt, SIZES[purpose]))


@each(("purpose", "size"), OTHER_SIZES)
def test_a_link_of_another_size_is_refused(purpose: str, size: int) -> None:
    with pytest.raises(BadLink):
        read(purpose, signed(purpose, purpose, size))


def payload_of(purpose: Purpose) -> list[bytes]:
    return [bytes([n + 1] * size) for n, size in enumerate(purpose.carries)]


def test_no_two_purposes_share_a_salt() -> None:
    assert len({one.salt for one in PURPOSES}) == len(PURPOSES) == 15


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda one: one.salt.decode())
def test_a_token_is_read_by_its_own_purpose_alone_and_says_what_was_put_into_it(purpose: Purpose) -> None:
    by = {one.salt: Tokens(one, [b"the key of the tests"], Stopped()) for one in PURPOSES}
    text = by[purpose.salt].write(*payload_of(purpose))
    opened = by[purpose.salt].read(text)
    assert opened.parts == tuple(payload_of(purpose))
    assert (opened.until is None) is (purpose.life is None or not purpose.stamped)
    for other in by.keys() - {purpose.salt}:
        with pytest.raises(BadLink):
            by[other].read(text)


def test_a_purpose_that_says_nothing_carries_nothing_is_over_at_once_and_works_once() -> None:
    mute = Tokens(Purpose(b"mute"), [b"the key of the tests"], Stopped())
    opened = mute.read(mute.write())
    assert opened == ((), Stopped().now(), used_hash(b"used", b""))
    with pytest.raises(BadLink):
        mute.read(mute.write(b"x"))
