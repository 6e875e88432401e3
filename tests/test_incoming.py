"""What a request says of itself is read as far as anybody needs it: no header costs more than the others."""

from subscriptions.web.http.incoming import Incoming


def incoming(**headers: str) -> Incoming:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Incoming("GET", "https", "/", "", "203.0.113.7", named)


def test_languages_beyond_the_twentieth_are_not_looked_at() -> None:
    tags = [f"{first}{second}" for first in "abcde" for second in "klmnop"]
    assert incoming(accept_language=", ".join(tags)).languages == tuple(tags[:20])


def test_a_header_of_sixteen_kilobytes_is_no_more_work_than_one_of_a_kilobyte() -> None:
    assert len(incoming(accept_language="de" * 8000).languages) <= 1
    assert max(map(len, incoming(accept_language="de" * 8000).languages), default=0) <= 1000


def test_a_host_longer_than_any_name_is_none() -> None:
    assert incoming(host="a" * 253 + ":8443").host == "a" * 253 + ":8443"
    assert incoming(host="a" * 16_000).host == ""
