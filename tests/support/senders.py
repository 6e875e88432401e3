"""Stand-ins for senders that cannot be had here: each knows the few calls that its page in docs/senders makes."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.support.ports import LOOPBACK

WISH = {"mode": "subscribe", "subscription_status": "confirmed", "overwrite": True, "delim": ",", "lists": [1]}
Asked = tuple[str, str, dict[str, list[str]], bytes, str]  # method, path, query, body, type


class Sender:
    """Who is on its list, by address, with what it knows of each."""

    def __init__(self, people: dict[str, dict[str, Any]]) -> None:
        self.people = people

    def answer(self, asked: Asked) -> Any:
        raise NotImplementedError


class Listmonk(Sender):
    bounces: ClassVar[list[dict[str, str]]] = []

    def answer(self, asked: Asked) -> Any:
        method, path, _, body, type_ = asked
        if (method, path) == ("POST", "/api/import/subscribers"):
            return self._import(body, type_)
        if path == "/api/import/subscribers":
            return {"data": {"status": "finished"}}
        if path == "/api/subscribers/query/lists":
            wish = json.loads(body)
            assert (wish["action"], wish["target_list_ids"]) == ("remove", [1])
            began = wish["query"].removeprefix("subscribers.updated_at < '").removesuffix("'")
            self.people = {name: one for name, one in self.people.items() if one.get("updated_at", "9") >= began}
        elif method == "DELETE":
            self.bounces.clear()
        else:
            return {"data": {"results": self.bounces}}
        return {"data": True}

    def _import(self, body: bytes, type_: str) -> Any:
        form = message_from_bytes(f"Content-Type: {type_}\r\n\r\n".encode() + body)
        parts = {str(part.get_param("name", header="content-disposition")): part for part in form.walk()}
        wish = json.loads(bytes(parts["params"].get_payload(decode=True)))
        assert wish == WISH
        file = bytes(parts["file"].get_payload(decode=True)).decode()
        self.people |= {row["email"]: json.loads(row["attributes"]) for row in csv.DictReader(io.StringIO(file))}
        return {"data": wish}


class Mailchimp(Sender):
    def answer(self, asked: Asked) -> Any:
        method, path, query, body, _ = asked
        if method == "GET":
            wanted = query["status"] if query.get("offset", ["0"]) == ["0"] else []
            shown = [{"email_address": name} | one for name, one in self.people.items() if one["status"] in wanted]
            return {"members": shown}
        if method == "DELETE":
            by_hash = {md5(name.lower().encode(), usedforsecurity=False).hexdigest(): name for name in self.people}
            del self.people[by_hash[path.rpartition("/")[2]]]
            return {}
        wish = json.loads(body)
        assert wish["update_existing"] is True and len(wish["members"]) <= 500
        self.people |= {one["email_address"]: one for one in wish["members"]}
        return {"errors": []}


class Mautic(Sender):
    def answer(self, asked: Asked) -> Any:
        method, path, query, body, _ = asked
        if method == "GET":
            assert query["search"] == ["tag:newsletter"]
            shown = {one["id"]: one for one in self.people.values()} if query["start"] == ["0"] else []
            return {"contacts": shown}
        if method == "PATCH":
            assert json.loads(body) == {"tags": ["-newsletter"]}
            self.people = {name: one for name, one in self.people.items() if f"/{one['id']}/" not in path}
            return {}
        self.people |= {one["email"]: {"id": 100 + number} | one for number, one in enumerate(json.loads(body))}
        return {}


@contextmanager
def served(sender: Sender) -> Iterator[str]:
    """Its address, while it answers."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            url, length = urlsplit(self.path), int(self.headers["Content-Length"] or 0)
            asked = self.command, url.path, parse_qs(url.query), self.rfile.read(length), self.headers["Content-Type"]
            said = json.dumps(sender.answer(asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()
