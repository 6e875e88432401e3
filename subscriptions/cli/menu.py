"""How the commands are shown: in sections, with whole summaries and an example of each."""

from collections.abc import Iterator

import click
from flask.cli import AppGroup

from subscriptions import __version__

# the commands of `yestwice --help` in their order; a group stands for all that it has
SECTIONS = {
    "People": "explain proof unsubscribe erase suppressions",
    "The desk": "accounts",
    "For the privacy officer": "requests hold record retention evidence",
    "Lists and emails": "lists policy import export mail",
    "Running the service": "serve go-live doctor backup restore jobs tokens audit abuse migrate",
    "Measuring": "bench",
}
EXAMPLES = {
    "explain": "explain anne@example.org",
    "proof": "proof anne@example.org --list newsletter -o proof-of-anne",
    "unsubscribe": "unsubscribe anne@example.org --channel letter --received 2026-11-23",
    "erase": "erase anne@example.org",
    "suppressions show": "suppressions show anne@example.org",
    "suppressions add": 'suppressions add anne@example.org --scope all --reason "asked by letter"',
    "suppressions lift": 'suppressions lift anne@example.org --reason "she asked us to"',
    "hold add": 'hold add anne@example.org --reason "case 12 C 34/26" --review 2027-03-01',
    "hold show": "hold show",
    "hold lift": 'hold lift anne@example.org --reason "the case is over"',
    "requests show": "requests show --all",
    "lists show": "lists show",
    "lists create": 'lists create concerts --name "Concert letter" --locale en',
    "lists edit": 'lists edit concerts --set controller="Example Society" --set public=false',
    "lists wording": 'lists wording concerts --compose --often "once a month" --about "our concerts"',
    "lists archive": "lists archive concerts",
    "lists restore": "lists restore concerts",
    "lists take-over": "lists take-over newsletter",
    "policy show": "policy show newsletter",
    "policy fetch": "policy fetch newsletter",
    "import file": "import members.csv --list newsletter --dry-run",
    "import show": "import show 3 -o report.csv",
    "import undo": "import undo 3",
    "import resume": "import resume 3",
    "export": "export newsletter --format csv -o newsletter.csv",
    "mail receive": "mail receive --from anne@example.org --to leave@news.example.org < message",
    "mail poll": "mail poll",
    "mail test": "mail test you@example.org",
    "mail preview": "mail preview -o mails",
    "mail lint": "mail lint --list newsletter",
    "jobs run": "jobs run purge",
    "jobs show": "jobs show",
    "tokens create": "tokens create my-sender --scope export",
    "tokens show": "tokens show",
    "tokens revoke": "tokens revoke my-sender",
    "audit show": "audit show anne@example.org --since 30d",
    "evidence verify": "evidence verify --against head.txt",
    "evidence head": "evidence head",
    "retention show": "retention show --dry-run",
    "abuse show": "abuse show",
    "abuse cancel": "abuse cancel --since 2h --until 10m --network 203.0.113.0/24",
    "abuse refresh": "abuse refresh disposable_email_blocklist.conf",
    "accounts invite": "accounts invite you@example.org --role owner",
    "accounts reset": "accounts reset you@example.org",
    "accounts role": "accounts role you@example.org manager",
    "accounts disable": "accounts disable you@example.org",
    "accounts show": "accounts show",
    "serve": "serve",
    "go-live": "go-live",
    "backup": "backup /var/backups/yestwice/today.backup --key-file /root/yestwice-backup.key",
    "restore": "restore /var/backups/yestwice/today.backup --key-file /root/yestwice-backup.key --check",
    "doctor": "doctor",
    "record show": "record show --language de",
    "migrate": "migrate",
}
_WHOLE = 1000  # letters of a summary: it is wrapped, never cut


class Group(AppGroup):
    """A group of commands, each shown with its whole summary."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(_WHOLE)) for name, one in sorted(self.commands.items())])


class Program(click.Group):
    """`yestwice`: the commands of the product, and no others; asked for help, it needs no configuration."""

    def __init__(self, commands: dict[str, click.Command]) -> None:
        version = click.version_option(__version__, prog_name="Yestwice", message="%(prog)s %(version)s")
        super().__init__("yestwice", commands, help=_ABOUT, epilog=_SOME)
        version(self)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS.items():
            rows = [row for name in names.split() if name in self.commands for row in leaves(self.commands[name], name)]
            if rows:
                with formatter.section(title):
                    formatter.write_dl([(name, command.get_short_help_str(_WHOLE)) for name, command in rows])


_ABOUT = """Yestwice: nobody is mailed who has not said yes twice.

Results go to stdout, everything else to stderr. The exit status is 0 on success, 1 if something went wrong (one
sentence says what) and 2 if the command was not typed correctly. The configuration is the file that
SUBSCRIPTIONS_CONFIG names, or config.toml beside app.py; installed by pip, config.toml in the current folder. For more
about a command, add --help to it.
"""
_SOME = "\b\nExamples:\n" + "\n".join(
    f"  yestwice {EXAMPLES[name]}" for name in ("explain", "export", "suppressions add", "tokens create", "audit show")
)


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The commands of a group with their whole names; or the one itself."""
    if isinstance(command, click.Group):
        for sub, one in command.commands.items():
            yield from leaves(one, f"{name} {sub}")
    else:
        yield name, command


def with_examples(commands: dict[str, click.Command]) -> dict[str, click.Command]:
    """The same commands, whose help ends with an example."""
    for top, command in commands.items():
        for name, one in leaves(command, top):
            if name in EXAMPLES:
                one.epilog = f"\b\nExample:\n  yestwice {EXAMPLES[name]}"
    return commands
