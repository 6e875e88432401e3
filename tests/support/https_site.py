"""A site of somebody else, over real TLS, whose pages do what a test wants."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.certificates import Certificate, server_context


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=utf-8"})


Page = Callable[[BaseHTTPRequestHandler], None]


class HttpsSite:
    """`pages`: by path an answer, or what writes one; `asked`: the headers of each request, with its path."""

    def __init__(self, certificate: Certificate = Certificate.GOOD, **pages: Answer | Page) -> None:
        self.pages: dict[str, Answer | Page] = {f"/{name}": page for name, page in pages.items()}
        self.asked: list[dict[str, str]] = []
        self.over = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def do_GET(self) -> None:
                site.asked.append({"path": self.path, **dict(self.headers.items())})
                page = site.pages.get(self.path, Answer(b"nothing here", 404))
                if callable(page):
                    page(self)
                    return
                self.send_response(page.status)
                for name, value in (page.headers | {"Content-Length": str(len(page.body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(page.body)

            def log_message(self, *_: Any) -> None:
                """Nothing on the screen of the tests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Who hangs up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        context = server_context(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]

    def url(self, path: str = "policy") -> str:
        return f"https://localhost:{self.port}/{path}"

    def says(self, html: str, path: str = "policy") -> None:
        """From now on that page says so."""
        self.pages[f"/{path}"] = Answer(html.encode())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
