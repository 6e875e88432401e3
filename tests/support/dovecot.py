"""A real Dovecot for one mailbox on loopback, in a process for each connection.

Dovecot's own login daemon only runs where its package is installed, so the login and TLS are ours here; from then on
every octet is Dovecot's.
"""

import contextlib
import os
import pwd
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any, Self

from tests.support import mail_servers
from tests.support.ports import LOOPBACK

USER, PASSWORD = "leave", "correct horse"
ROOTS_USER = "nobody"  # Dovecot gives root no mail
CONFIG = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
mail_plugin_dir = {library}/modules
log_path = {folder}/log
ssl = no
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
import_environment = LD_LIBRARY_PATH
mail_location = maildir:{folder}/mail
namespace inbox {{
  inbox = yes
}}
"""


class Dovecot:
    """`tls`: what it shows on its one port, from the first octet or, with `starttls`, once it is asked to."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, starttls: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="dovecot-"))  # pytest's folders are for its user alone
        self._tls, self._starttls = tls, starttls
        self._sent, self.logins, self.refuses = 0, 0, False
        self.tells = b""  # what another mail program has changed, told before each answer to a FETCH
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        program = mail_servers.root("dovecot")
        user = pwd.getpwnam(ROOTS_USER) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        config = self._folder / "dovecot.conf"
        library = program / "usr/lib/dovecot"
        config.write_text(CONFIG.format(folder=self._folder, library=library, uid=user.pw_uid, gid=user.pw_gid))
        if os.geteuid() == 0:
            shutil.chown(self._folder, user.pw_uid, user.pw_gid)
        self._user = user
        doveconf = "-c", config, "-f", "service=imap", "-m", "imap"
        self._command: list[str | Path] = [program / "usr/bin/doveconf", *doveconf, "-e", library / "imap"]
        self._environment = mail_servers.environment("dovecot") | {"USER": USER, "HOME": str(self._folder)}
        threading.Thread(target=self._serve, daemon=True).start()
        self.imap("STATUS INBOX (UIDNEXT)")  # which makes the folders
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def deliver(self, *messages: bytes) -> None:
        """As a mail server does: into the folder `new`, where nobody has seen them."""
        for octets in messages:
            self._sent += 1
            path = self._folder / "mail" / "new" / f"{1_800_000_000 + self._sent}.{self._sent}.test"
            path.write_bytes(octets)
            shutil.chown(path, self._user.pw_uid, self._user.pw_gid)

    def renumber(self) -> None:
        """Another UIDVALIDITY, as after a restore."""
        path = self._folder / "mail" / "dovecot-uidlist"
        path.write_text(re.sub(r" V(\d+)", lambda found: f" V{int(found[1]) + 1}", path.read_text(), count=1))
        for index in path.parent.glob("dovecot.index*"):
            index.unlink()

    def imap(self, *commands: str) -> str:
        """What Dovecot says to these, of a mail program of its own."""
        lines = [f"x{n} {command}" for n, command in enumerate((*commands, "LOGOUT"))]
        done = subprocess.run(self._command, env=self._environment, input="\r\n".join([*lines, ""]), text=True,
                              capture_output=True, check=False)  # fmt: skip
        return str(done.stdout)

    def flags(self) -> list[set[str]]:
        """Of each message in turn, looked at without a trace."""
        said = self.imap("EXAMINE INBOX", "FETCH 1:* (FLAGS)")
        return [set(flags.split()) for flags in re.findall(r"\* \d+ FETCH \(FLAGS \((.*?)\)\)", said)]

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._talk, args=(self._listener.accept()[0],), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as ends:
            ends.enter_context(line)
            if self._tls and not self._starttls:
                line = ends.enter_context(self._secure(line))
            line.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n")
            with subprocess.Popen(self._command, env=self._environment, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as dovecot:  # fmt: skip
                assert dovecot.stdin and dovecot.stdout
                dovecot.stdout.readline()  # its greeting
                try:
                    line = self._let_in(line, ends)
                    back = threading.Thread(target=_copy, args=(dovecot.stdout, line), daemon=True)
                    back.start()
                    while octets := line.recv(65536):
                        if b" FETCH " in octets:
                            line.sendall(self.tells)
                        dovecot.stdin.write(octets)
                        dovecot.stdin.flush()
                finally:
                    with contextlib.suppress(OSError):
                        dovecot.stdin.close()

    def _secure(self, line: socket.socket) -> ssl.SSLSocket:
        assert self._tls
        wrapped = self._tls.wrap_socket(line, server_side=True, do_handshake_on_connect=False)
        try:
            wrapped.do_handshake()
        except OSError:
            wrapped.close()
            raise
        return wrapped

    def _let_in(self, line: socket.socket, ends: contextlib.ExitStack) -> socket.socket:
        """Until somebody is logged in."""
        while True:
            tag, command, *said = shlex.split(_read_line(line))
            if command == "STARTTLS" and self._tls:
                line.sendall(f"{tag} OK begin\r\n".encode())
                line = ends.enter_context(self._secure(line))
            elif command == "LOGIN":
                self.logins += 1
                if said == [USER, PASSWORD] and not self.refuses:
                    line.sendall(f"{tag} OK logged in\r\n".encode())
                    return line
                line.sendall(f"{tag} NO [AUTHENTICATIONFAILED] not you\r\n".encode())
            elif command == "CAPABILITY":
                line.sendall(f"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n{tag} OK done\r\n".encode())
            else:
                line.sendall(f"* BYE\r\n{tag} OK done\r\n".encode())


def _read_line(line: socket.socket) -> str:
    octets = b""
    while not octets.endswith(b"\r\n"):
        more = line.recv(1)
        if not more:
            raise ValueError("the line was ended")
        octets += more
    return octets.decode().strip()


def _copy(source: Any, line: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while octets := source.read1(65536):
            line.sendall(octets)
