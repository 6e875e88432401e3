"""Files that are the same for everyone, compressed once: nothing secret is in them, so their length tells nothing.

Our own: WhiteNoise and Flask-Compress serve `br` to a client that says `br;q=0`; the one has a single ETag for all
codings of a file, the other compresses parts of a file (206).
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path

import brotli
from flask import Flask, Response, abort, request, send_file, url_for
from werkzeug.datastructures import Accept

# the smaller first; for the same octets always the same ones, so no time in gzip's head
PLAIN = "identity"
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,
    "gzip": lambda octets: gzip.compress(octets, 9, mtime=0),
    PLAIN: bytes,
}


@dataclass(frozen=True)
class StaticFile:
    path: Path

    @cached_property
    def version(self) -> str:
        """The hash of it, so that a browser keeps it until it changes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:12]

    def answer(self, max_age: int | None = None) -> Response:
        """The file in the coding that the request likes best, or 304, or a part of it; 406 if it refuses all."""
        coding = _coding(request.accept_encodings)
        unit = request.headers.get("Range", "").partition("=")[0].strip().lower()
        if request.method != "GET" or unit != "bytes":  # RFC 9110 14.2: then it is ignored
            request.environ.pop("HTTP_RANGE", None)
        response = send_file(
            BytesIO(_octets(self.path, coding)),
            mimetype="text/javascript" if self.path.suffix == ".js" else None,
            download_name=self.path.name,
            etag=self.version if coding == PLAIN else f"{self.version}-{coding}",
            last_modified=self.path.stat().st_mtime,
            max_age=max_age,
        )
        response.vary.add("Accept-Encoding")
        if coding != PLAIN:
            response.headers["Content-Encoding"] = coding
        return response


@cache
def _octets(path: Path, coding: str) -> bytes:
    return CODINGS[coding](path.read_bytes())


def _coding(accepted: Accept) -> str:
    """RFC 9110, 12.5.3: a coding must be named, by itself or by `*`; the plain file is refused only so."""
    liked = {coding: accepted.quality(coding) for coding in CODINGS}
    if accepted.find(PLAIN) < 0:
        liked[PLAIN] = 0.0001  # less than what is named
    best = max(liked, key=lambda coding: liked[coding])
    return best if liked[best] > 0 else abort(406)


def files_in(folder: Path) -> dict[str, StaticFile]:
    """By their names in URLs."""
    return {path.relative_to(folder).as_posix(): StaticFile(path) for path in folder.rglob("*") if path.is_file()}


def init_app(app: Flask) -> None:
    """Serve the static folder this way, and let pages name its files."""
    files = files_in(Path(app.static_folder or ""))

    def static(filename: str) -> Response:
        return files[filename].answer() if filename in files else abort(404)

    app.view_functions["static"] = static
    # a global: macros see it as well
    app.jinja_env.globals["static_url"] = lambda name: url_for("static", filename=name, v=files[name].version)
