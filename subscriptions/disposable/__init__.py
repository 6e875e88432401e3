"""Lists that come with the program or are renewed by the operator: mail domains for throw-away addresses."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

FILE = "disposable_domains.txt"
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class BadList(ValueError):
    """The text is no list of domains; the message says where."""


def disposable_domains(data_dir: Path) -> frozenset[str]:
    """The list that the operator has renewed, else the one that the program brings."""
    renewed = data_dir / FILE
    path = renewed if renewed.is_file() else Path(__file__).with_name(FILE)
    return _read(path, path.stat().st_mtime_ns)


def renewed_at(data_dir: Path) -> datetime | None:
    """When the operator has renewed it; none: it is the one that the program brings."""
    renewed = data_dir / FILE
    return datetime.fromtimestamp(renewed.stat().st_mtime, UTC) if renewed.is_file() else None


@lru_cache(4)
def _read(path: Path, _changed_at: int) -> frozenset[str]:
    return domains(path.read_text("utf-8").splitlines())


def domains(lines: Iterable[str]) -> frozenset[str]:
    """One domain a line, `#` begins a remark; raises BadList."""
    found = set()
    for number, line in enumerate(lines, 1):
        domain = line.partition("#")[0].strip().lower()
        if domain and not _DOMAIN.fullmatch(domain):
            raise BadList(f'line {number} is "{domain[:60]}", which is not a domain such as "example.org"')
        found.add(domain)
    return frozenset(found - {""})


def renew(data_dir: Path, lines: Iterable[str]) -> int:
    """Keep another list from now on; how many domains it has. Raises BadList, and changes nothing then."""
    found = domains(lines)
    if not found:
        raise BadList("it has no domains")
    aside = data_dir / f".{FILE}"
    aside.write_text("".join(f"{domain}\n" for domain in sorted(found)), "utf-8")
    aside.replace(data_dir / FILE)
    return len(found)
