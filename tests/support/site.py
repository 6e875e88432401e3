"""Somebody's web site: pages on an origin of its own, into which the sign-up form is embedded."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.support.ports import free_port


class Site:
    """Serves pages at http://localhost:<port>, another site than 127.0.0.1; `pages` maps a path to HTML."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.policy: str | None = None  # its Content-Security-Policy
        self.posted: list[tuple[str, bytes]] = []
        self._port = free_port()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))

    @property
    def origin(self) -> str:
        return f"http://localhost:{self._port}"

    def page(self, path: str, body: str, *, style: str = "", lang: str = "en") -> str:
        """Put a page there; its URL."""
        head = f'<meta charset="utf-8"><title>Our site</title>{f"<style>{style}</style>" if style else ""}'
        self.pages[path] = f'<!doctype html><html lang="{lang}"><head>{head}</head><body>{body}</body></html>'
        return self.origin + path

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self.send_response(200 if path in site.pages else 204)  # browsers ask for a favicon
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if site.policy:
                self.send_header("Content-Security-Policy", site.policy)
            self.end_headers()
            self.wfile.write(site.pages.get(path, "").encode())

        def log_message(self, format: str, *args: object) -> None:
            """Tests have output of their own."""

    return Handler
