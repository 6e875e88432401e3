"""Certificates for the relay, good and bad, from authorities made for this test run."""

import atexit
import shutil
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path

import trustme


class Certificate(Enum):
    """What the relay shows; a client that trusts ca_file() may accept only the first."""

    GOOD = "good"
    OTHER_HOST = "for another host"
    UNKNOWN_CA = "signed by an unknown authority"
    ENDS_SOON = "good for two days more"


@cache
def ca_file() -> Path:
    """The known authority, as PEM."""
    folder = Path(tempfile.mkdtemp(prefix="ca-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _authority("known").cert_pem.write_to_path(folder / "ca.pem")
    return folder / "ca.pem"


@cache
def server_context(certificate: Certificate) -> ssl.SSLContext:
    authority = _authority("unknown" if certificate is Certificate.UNKNOWN_CA else "known")
    hosts = ["mail.example.net"] if certificate is Certificate.OTHER_HOST else ["localhost", "127.0.0.1"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ends = datetime.now(UTC) + timedelta(days=2) if certificate is Certificate.ENDS_SOON else None
    authority.issue_cert(*hosts, not_after=ends).configure_cert(context)
    return context


@cache
def _authority(name: str) -> trustme.CA:
    return trustme.CA(organization_name=name)
