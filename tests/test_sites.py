"""Sites as browsers name them: scheme, host and port, or nothing."""

import pytest

from subscriptions.domain.sites import origin_of

ORIGINS = {
    "https://example.org": "https://example.org",
    "https://Example.ORG/a?b=c#d": "https://example.org",
    "http://example.org:80/": "http://example.org",
    "https://example.org:443": "https://example.org",
    "http://example.org:443": "http://example.org:443",
    "https://example.org:8443/x": "https://example.org:8443",
    "https://example.org:/": "https://example.org",
    "http://127.0.0.1:8000": "http://127.0.0.1:8000",
    "https://[2001:DB8::1]/": "https://[2001:db8::1]",
    "https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443",
}
NOTHING = [
    "", "example.org", "//example.org", "/path", "ftp://example.org", "javascript:alert(1)", "HTTP://example.org",
    "https://", "https://:443", "https:///example.org", "https://anne@example.org", "https://bücher.example",
    "https://example.org\\@evil.example", "https://exam ple.org", " https://example.org", "https://example.org\n",
    "https://example.org:99999", "https://example.org:x", "https://[::1", "https://example.org]",
]  # fmt: skip


def test_a_plain_address_of_the_web_has_the_origin_that_browsers_write() -> None:
    assert {url: origin_of(url) for url in ORIGINS} == ORIGINS


@pytest.mark.parametrize("url", NOTHING)
def test_anything_else_has_none(url: str) -> None:
    assert origin_of(url) is None
