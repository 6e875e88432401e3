"""The request that Flask has at hand, as the plain value that the rules read."""

from datetime import datetime
from typing import IO, Any

from flask import Request, request
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.formparser import FormDataParser, MultiPartParser

from subscriptions.parts import current_parts
from subscriptions.web.http.incoming import Incoming, form_in, text_in

KEPT = "yestwice.incoming"  # in the environ: made once, or brought by our own server
FROM_HERE = "yestwice.from_here"  # there too: how an export goes on, for whichever process makes the rest of it


def now() -> datetime:
    """By the clock of the application at hand."""
    return current_parts().clock.now()


def incoming() -> Incoming:
    """The request at hand, without its body, which Flask reads where a view wants it."""
    environ = request.environ
    found: Incoming | None = environ.get(KEPT)
    if found is None:
        path, query, peer = (environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING", "REMOTE_ADDR"))
        server = {"host": f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"}  # of HTTP/1.0
        headers = server | {name.lower(): value for name, value in request.headers.items()}
        found = environ[KEPT] = Incoming(request.method, request.scheme, path, query, peer, headers)
    return found


class _Parts(MultiPartParser):
    def get_part_charset(self, headers: Headers) -> str:
        return "latin-1"  # each octet as it came: what they say is read behind


class _Forms(FormDataParser):
    """Reads fields as the other door does, whatever the page that sent them was written in."""

    def _parse_urlencoded(self, stream: IO[bytes], *_: Any) -> Any:
        return stream, form_in(stream.read()), MultiDict()

    def _parse_multipart(self, stream: IO[bytes], kind: str, length: int | None, options: dict[str, str]) -> Any:
        most, parts = self.max_form_memory_size, self.max_form_parts
        parser = _Parts(self.stream_factory, max_form_memory_size=most, max_form_parts=parts)
        form, files = parser.parse(stream, options.get("boundary", "").encode("ascii"), length)
        read = [(name, text_in(name, value.encode("latin-1"))) for name, value in form.items(multi=True)]
        return stream, MultiDict(read), files


class OurRequest(Request):
    form_data_parser_class = _Forms
