"""What was made of fixed keys by 0.2.0 and since: links live for ever, so no salt, derivation or payload may change."""

import os
import secrets
from collections.abc import Callable

import pytest

from subscriptions.links import Links, Visit, fingerprint, nonces
from subscriptions.links.forms import FormTokens
from subscriptions.links.purposes import used_hash
from subscriptions.store.lists import wording_hash
from tests.test_links import KEY, LIST, NOON, REF, links

MAILBOX = bytes(range(64, 80))
HANDLE = "AAAAAAAAAAAAAAAAAAAKmJ3mEmXicGTxFEUPJlyN"
STEP = "AaIIRv4Ahtk3pnp1oMfZ9se9Ked7gQAAAAAAAAAA.UQlUeqzTTqEy3tIIIfdaluOE0mgqrw15_Mt6rHuiWF8"


def made() -> Links:
    return links("the key of the tests", "an older key of the tests")


def forms() -> FormTokens:
    return FormTokens([b"the key of the tests"])


KNOWN: dict[str, tuple[Callable[[], object], object]] = {
    "a confirm link": (
        lambda: made().confirm_url(REF),
        "https://news.example.org/confirm/AAECAwQFBgcICQoLDA0ODw.awQqwA.ebRelEQA-vOxLlRciYmyVQ4SNM6XS2qT2mxtHu2BJhY",
    ),
    "a not-me link": (
        lambda: made().not_me_url(REF, LIST, KEY),
        "https://news.example.org/not-me/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAAH.sHyCTd_jzixTNcuaTKK4GfdBBBXlTzJdfJZsDSHgHIs",
    ),
    "a not-me link of a mailbox (0.4.0)": (
        lambda: made().not_me_url(REF, LIST, KEY, MAILBOX),
        "https://news.example.org/not-me/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAAHQEFCQ0RFRkdISUpLTE1OTw.lqY7Qd-KCjiiOq5iN80nwHqRfYcPR6uPbO4DxLvI-pw",
    ),
    "a link to the preferences of a mailbox (0.4.0)": (
        lambda: made().preferences_token(REF, KEY, MAILBOX),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9AQUJDREVGR0hJSktMTU5P.awQqwA.twdTUu_DmG7YuGMDcuilx3snSqXLfmngOekZFmCESM8",
    ),
    "the session of the preferences of a mailbox (0.4.0)": (
        lambda: made().session_token(KEY, MAILBOX),
        "EBESExQVFhcYGRobHB0eH0BBQkNERUZHSElKS0xNTk8.awQqwA.afQ31PzPJkjQTNH--SSDYKGf9oTBVTo8ibBZ0EX73aA",
    ),
    "the key of a mailbox (0.4.0)": (
        lambda: (made().mailbox_key("anne+x@example.org") or b"").hex(),
        "32185d66352567ece3a3f45b6e601e02",
    ),
    "an unsubscribe link": (
        lambda: made().leave_url(LIST, KEY),
        "https://news.example.org/unsubscribe/EBESExQVFhcYGRobHB0eHwAAAAc._1wMEgxUJvTJmghdRNyxyqy-ebZ3KaMwOsvn7dufUj4",
    ),
    "a link to the preferences": (
        lambda: made().preferences_token(REF, KEY),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.awQqwA.36pBWPAnU52xR58EkQxmBzsBg9VgnIYQO4BuUFA1J8A",
    ),
    "the session of the preferences": (
        lambda: made().session_token(KEY),
        "EBESExQVFhcYGRobHB0eHw.awQqwA.Qa0bVBAcN2FZfWrv0FQYVWdMcb-bNjVzo0EmTNg5rNg",
    ),
    "what is kept of a used link": (
        lambda: made().read_preferences(made().preferences_token(REF, KEY)).hash.hex(),
        "f6f89e1e1ffd42f2f6a12f7dfcddf2ff",
    ),
    "the time of a form": (lambda: forms().time(NOON), "AaIIRv4A.BIxx7Zy8nzrCfGG2TilmcjiYQ9X8n_q5aN7Qx_tYzc8"),
    "what is kept of a used step": (lambda: used_hash(b"step", REF).hex(), "da666cd4fe35018706ba062dcae1708b"),
    "a code": (lambda: made().codes.code(REF), "E3N9JSDM"),
    "the references of a handle": (
        lambda: [one.hex() for one in visit().refs],
        [
            "7a5891b669b0822bb264010f155e0449",
            "96aa827a34e76270fc158bcf72529f9d",
            "3e536809bc66f10fbbf92b5527a5ae1a",
            "fdc20f03d2c5b621e358fe3ff47c58aa",
            "dd6e2916cf104559f76220cb00ad0af0",
            "b3dd4c93b33410d111f5c85c0d878d30",
            "4837e65c4315090698b9fb8673bae5c1",
            "54f4b171728ea06c4f6b8f8566c783fc",
        ],
    ),
    "the mark of a page": (lambda: made().tab(REF), "b97cddc2d93ab762d8"),
    "the key of an address": (lambda: made().key("anne@example.org").hex(), "32185d66352567ece3a3f45b6e601e02"),
    "the key of a network": (lambda: made().network_key("198.51.100.7").hex(), "53b6e4af75c8b09b546ab0a90860f7b1"),
    "the name of a domain": (lambda: made().domain_name("example.org"), "a5f931cf1087d529fdbbe639bf2a0107"),
    "the key of tries": (lambda: made().try_key(REF).hex(), "cf3cddfe2447a93481185344f81476e1"),
    "the fingerprint of a pepper": (lambda: fingerprint(b"pepper"), "ec559ba1b2e56bc1e7061d89ea85544a"),
    "the hash of a wording": (
        lambda: wording_hash("news", "Yes, please – ja.", "https://example.org/privacy", "Example"),
        "161979d432cac39d93f9e7232654fa80a0d34bcb84bb69fac62496cee4d68feb",
    ),
    # since 0.4.0
    "the hash of a wording in another language": (
        lambda: wording_hash("news", "Yes, please – ja.", "https://example.org/privacy", "Example", "de"),
        "ff4a981e5c3d260e7859ca70bdd5291b652b0d7cf38632e62fcc46045a4c90a9",
    ),
    "the site of a frame": (
        lambda: forms().site("https://www.example.org"),
        "Hi7IJq7ns4J8otYA07cIOg.lTn_7jGRg08Iq57smtCe9qLWgX_cK2hN_0E0LPrmGY0",
    ),
}


def visit() -> Visit:
    found = made().visit(HANDLE)
    assert found is not None
    return found


@pytest.mark.parametrize("what", KNOWN)
def test_what_leaves_the_house_is_made_as_it_always_was(what: str) -> None:
    make, known = KNOWN[what]
    assert make() == known


def test_a_handle_is_made_of_its_nonce_as_it_always_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "nonce", bytes)
    assert made().new_handle(3) == HANDLE


def test_a_token_of_one_more_step_is_made_as_it_always_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    assert forms().step(NOON, KEY, [9, LIST]) == STEP


def test_a_nonce_comes_once_and_no_child_has_those_of_its_parent() -> None:
    nonces.nonce(14)
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.write(writer, b"".join(nonces.nonce(16) for _ in range(250)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        theirs = file.read()
    os.waitpid(child, 0)
    found = [nonces.nonce(16) for _ in range(300)] + [theirs[at : at + 16] for at in range(0, len(theirs), 16)]
    assert len(found) == 550 == len({*found})
