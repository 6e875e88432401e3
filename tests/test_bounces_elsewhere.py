"""The test messages of flufl.bounce, of its source distribution: sorted as it sorts them, and nobody ends by mistake.

They are fetched and not kept here: their licence (Apache-2.0) would allow it, but they are letters of real people.
"""

import os
import subprocess
import sys
import tarfile
from email import message_from_bytes
from pathlib import Path

import pytest
from flufl.bounce import all_failures

from subscriptions.domain.bounces import Weight, weight_of
from subscriptions.inbound.message import read
from subscriptions.inbound.returned import reports_of

pytestmark = pytest.mark.drill
NAME = "flufl.bounce"
KEPT = Path(os.environ.get("TEST_BOUNCES") or Path.home() / ".cache" / "yestwice-tests" / NAME)


def fetched() -> dict[str, bytes]:
    """By their names; the source distribution is fetched the first time."""
    from importlib.metadata import version

    if not KEPT.exists():
        options = ["--no-deps", "--no-binary", NAME, "--dest", str(KEPT), f"{NAME}=={version(NAME)}"]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options], check=True)
    (archive,) = KEPT.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        members = [one for one in source.getmembers() if "/tests/data/" in one.name and one.name.endswith(".txt")]
        return {Path(one.name).stem: (source.extractfile(one) or sys.exit()).read() for one in members}


def test_at_least_95_in_100_are_sorted_right_and_none_of_the_others_ends_anything() -> None:
    right, wrong, ended_wrongly = [], [], []
    for name, octets in fetched().items():
        late, gone = all_failures(message_from_bytes(octets))
        reports = reports_of(read(octets))
        hard = any(weight_of(one.status, one.said) is Weight.HARD for one in reports or ())
        (right if bool(late or gone) is (reports is not None) and bool(gone) is bool(reports) else wrong).append(name)
        ended_wrongly += [name] if hard and not gone else []
    assert len(right) + len(wrong) >= 100
    assert len(right) >= 0.95 * (len(right) + len(wrong)), wrong
    assert ended_wrongly == []
