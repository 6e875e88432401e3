"""A real Postfix on loopback: takes mail by SMTP, gives that for our domains to a command, bounces what it cannot."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support import mail_servers
from tests.support.ports import LOOPBACK, free_port
from tests.support.server import until

# users of every Debian that own nothing: Postfix wants two that it shares with nobody, and makes no others here
OWNER, GROUP, PIPE_USER = "uucp", "dialout", "news"
QUEUES = "active bounce corrupt defer deferred flush hold incoming saved trace".split()
SERVICES = """
{listen}  inet  n - n - - smtpd
pickup    unix  n - n 1 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`pipe`: what takes the mail for `domains`, as the argv of master.cf's pipe; without one, files in `inbox`.

    `routes`: for other domains, the port on loopback of the server that takes their mail; all others do not exist.
    """

    def __init__(
        self,
        folder: Path,
        domains: Sequence[str],
        *,
        pipe: str = "",
        flags: str = "",
        routes: Mapping[str, int] | None = None,
    ) -> None:
        self.host = LOOPBACK
        self.port, self.inbox, self.config = free_port(), folder / "inbox", folder / "config"
        self._folder, self._domains, self._routes = folder, domains, routes or {}
        self._pipe, self._flags = pipe or f"/bin/sh -c cat>{self.inbox}/$$", flags or "DRX"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid():
            raise RuntimeError("Postfix only starts as root: run this drill as root, in a container")
        self._programs = mail_servers.root("postfix")
        self._make_folders()
        self._configure()
        environment = mail_servers.environment("postfix") | {"MAIL_CONFIG": str(self.config)}
        master = self._programs / "usr/lib/postfix/sbin/master"
        with (self._folder / "start").open("wb") as log:
            self._process = subprocess.Popen([master, "-c", self.config, "-d"], env=environment, stdout=log, stderr=log)
        until(
            lambda: (self._folder / "queue/pid/master.pid").exists() and (self._folder / "queue/public/qmgr").exists()
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def delivered(self) -> list[bytes]:
        """What has come for our domains so far."""
        return [path.read_bytes() for path in sorted(self.inbox.iterdir()) if path.stat().st_size]

    @property
    def log(self) -> str:
        return (self._folder / "log" / "mail.log").read_text(errors="replace")

    def _make_folders(self) -> None:
        owner, group = pwd.getpwnam(OWNER).pw_uid, GROUP
        for folder in (self._folder, *self._folder.parents):  # pytest's are for its user alone
            if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o011)
        for name in (*QUEUES, "private", "data"):
            path = self._folder / ("data" if name == "data" else f"queue/{name}")
            path.mkdir(parents=True)
            os.chown(path, owner, -1)
        for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
            path = self._folder / "queue" / name
            path.mkdir()
            shutil.chown(path, owner, group)
            path.chmod(mode)
        for path in (self._folder / "queue/pid", self.inbox, self.config, self._folder / "log"):
            path.mkdir()
        shutil.chown(self.inbox, PIPE_USER)

    def _configure(self) -> None:
        programs, ways = self._programs / "usr", dict.fromkeys(self._domains, "ours:")
        ways |= {name: f"smtp:[{LOOPBACK}]:{port}" for name, port in self._routes.items()}
        ways["*"] = "error:5.1.1 no such mailbox here"
        (self.config / "transport").write_text("".join(f"{name} {way}\n" for name, way in ways.items()))
        main = {
            "compatibility_level": "3.6", "mail_owner": OWNER, "setgid_group": GROUP, "myhostname": "mx.test",
            "mydestination": "", "mynetworks": "127.0.0.0/8", "inet_interfaces": LOOPBACK, "inet_protocols": "ipv4",
            "queue_directory": self._folder / "queue", "data_directory": self._folder / "data",
            "daemon_directory": programs / "lib/postfix/sbin", "command_directory": programs / "sbin",
            "shlib_directory": programs / "lib/postfix", "meta_directory": programs / "share/postfix",
            "maillog_file": self._folder / "log" / "mail.log", "maillog_file_prefixes": self._folder,
            "transport_maps": f"texthash:{self.config}/transport", "recipient_delimiter": "+",
            "smtpd_recipient_restrictions": "permit_mynetworks, reject", "relay_domains": " ".join(self._domains),
            "smtpd_reject_unlisted_recipient": "no",
            "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native", "smtputf8_enable": "no",
            "ours_destination_recipient_limit": "1", "import_environment": "LD_LIBRARY_PATH MAIL_CONFIG TZ LC_ALL",
            "alias_maps": "", "alias_database": "", "local_recipient_maps": "", "minimal_backoff_time": "2s",
            "queue_run_delay": "2s", "maximal_backoff_time": "2s",
        }  # fmt: skip
        (self.config / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
        ours = f"ours unix - n n - 2 pipe\n  flags={self._flags} user={PIPE_USER} argv={self._pipe}\n"
        listen = SERVICES.format(listen=f"{LOOPBACK}:{self.port}")
        (self.config / "master.cf").write_text(listen.lstrip() + ours)
