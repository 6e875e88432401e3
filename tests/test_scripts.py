"""The scripts that pages of others name: small, alone, and the same for ever once they are released."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from subscriptions.web.embed.owner_page import SCRIPTS

LARGEST = 8200  # bytes on the line
RELEASED = {  # by version of the address
    "v1/frame.js": "288c8d1db318ba8ed5e82a3bb6f5776043b9eccf9e930ece7c38f92f5cb137f1",
    "v1/yestwice.js": "f3549e17d43b92a8b2cc5fba62233015e68a8e0f9dda9f9a1ab2e39ff3016a6f",
    "v2/frame.js": "85362189dd07a81d9009129274ab5e12fcd74ca11c37fceb8006461d908eeae8",
    "v2/yestwice.js": "08b465fcb9025b75629e610ce22b98319446b0c3e38599d7c43ef3eccc45e597",
}


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("v*/*.js")), ids=lambda one: f"{one.parent.name}/{one.name}")
def test_a_script_for_other_sites_is_at_most_8_kb_and_loads_no_other(script: Path) -> None:
    text = script.read_text()
    assert len(gzip.compress(text.encode(), 9)) <= LARGEST
    assert re.findall(r"\bimport\b(?!Key)|https?://", text) == []


@pytest.mark.parametrize("name", RELEASED)
def test_a_script_that_was_released_never_changes(name: str) -> None:
    """Pages name its hash, and browsers run nothing else there: what is new needs the next version."""
    assert hashlib.sha256((SCRIPTS / name).read_bytes()).hexdigest() == RELEASED[name]
