"""The scripts that pages of others name: small, alone, and the same for ever once they are released."""

import gzip
import re
from pathlib import Path

import pytest

from subscriptions.web.snippets import SCRIPTS

LARGEST = 6000  # bytes on the line


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda one: str(one.name))
def test_a_script_for_other_sites_is_at_most_6_kb_and_loads_no_other(script: Path) -> None:
    text = script.read_text()
    assert len(gzip.compress(text.encode(), 9)) <= LARGEST
    assert re.findall(r"\bimport\b(?!Key)|https?://", text) == []
