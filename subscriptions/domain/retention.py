"""What is kept of whom, why and how long: a row for each class of data. What no row names must not be stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from subscriptions.domain.texts import marked

ALL = "*"


@dataclass(frozen=True, slots=True)
class Kept:
    """`columns`: by table, all or some; `basis`: articles of the GDPR; `job`: what ends it, else `ends` says it.

    `of_people`: it is about those who sign up; not the numbers, the seals, and who works here.
    """

    name: str
    what: str
    columns: Mapping[str, str]
    purpose: str
    basis: str
    period: str
    job: str | None = None
    ends: str = ""
    of_people: bool = True

    @property
    def named(self) -> list[str]:
        """The tables, or of those that are not meant as a whole the columns."""
        return [table if names == ALL else f"{table}.{name}"
                for table, names in self.columns.items() for name in names.split()]  # fmt: skip


_AS_LONG = marked("as long as the database exists")
_BY_PERSON = marked("unsubscribing, a bounce or an erasure")
_BY_OPERATOR = marked("whoever runs the service")

ROWS = (
    Kept(
        "unconfirmed",
        marked("A sign-up that nobody has confirmed: address, what was filled in, language, time, IP address, the "
               "text agreed to, the website of the form"),
        {"registrations": ALL, "evidence": ALL},
        marked("to ask for the confirmation, and for nothing else"), "6(1)(f)",
        marked("%(purge)s after the sign-up, or one calendar month if that is earlier; after %(confirm)s it can no "
               "longer be confirmed or used; at once after “this was not me”"),
        "purge",
    ),
    Kept(
        "subscription",
        marked("A subscription: address, what was filled in, language, times, the text agreed to"),
        {"subscriptions": ALL, "registrations": ALL, "evidence": ALL},
        marked("to send what was asked for"), "6(1)(a)",
        marked("until it ends"), ends=_BY_PERSON,
    ),
    Kept(
        "proof",
        marked("The proof of a consent that has ended, with the emails as they were sent; of an erased person without "
               "address, name or anything filled in"),
        {"subscriptions": ALL, "registrations": ALL, "evidence": ALL},
        marked("to prove that there was consent"), "7(1), 17(3)(e)",
        marked("%(proof)s after the end of the calendar year in which it ended"),
        "purge",
    ),
    Kept(
        "ips",
        marked("The two IP addresses of a confirmed subscription"),
        {"evidence": "ip ip_source", "subscriptions": "ip_until"},
        marked("to support the proof"), "7(1)",
        marked("%(ips)s after the confirmation, or until an erasure"),
        "purge",
    ),
    Kept(
        "suppressions",
        marked("That an address wants no emails: keyed hashes of the address and its mailbox, which emails, why, "
               "since when"),
        {"suppressions": ALL},
        marked("to respect that"), "21(3), 6(1)(f)",
        marked("until it is lifted; %(protected)s if an attack or the email program’s button caused it"),
        "purge",
    ),
    Kept(
        "journal",
        marked("In files beside the database, who left, objected, was erased or was invited: keyed hashes, when"),
        {},
        marked("to do it again where a backup is restored"), "17, 21(3), 32",
        marked("35 days"),
        "tidy",
    ),
    Kept(
        "requests",
        marked("A request about somebody’s data: who asks, what, how it came, how identity was checked, the answer"),
        {"requests": ALL},
        marked("to answer it, and to show that it was answered"), "12, 15–21, 5(2)",
        marked("%(proof)s after the end of the calendar year in which it was answered; for an erased person only the "
               "hash, the type, the dates and the outcome"),
        "purge",
    ),
    Kept(
        "budgets",
        marked("When a mailbox was last emailed, how often it was signed up, when an erasure is due: by keyed hash"),
        {"addresses": ALL},
        marked("to keep anybody from flooding a mailbox"), "6(1)(f)",
        marked("%(times)s after the last email"),
        "purge",
    ),
    Kept(
        "attempts",
        marked("How many sign-ups came from a network, how many wrong codes from a visit, how many copies and letters "
               "somebody asked for: keyed hashes, counts"),
        {"counted_keys": ALL},
        marked("to limit attempts"), "6(1)(f), 32",
        marked("an hour for networks, as long as a sign-up can be confirmed for codes, a day for the rest"),
        "tidy",
    ),
    Kept(
        "used",
        marked("What works once and has been used, such as the link to one’s own page: a hash"),
        {"used_once": ALL},
        marked("to refuse it a second time"), "32",
        marked("an hour at most"),
        "tidy",
    ),
    Kept(
        "traffic",
        marked("Sign-ups a minute, for each list and, by hash, for busy email domains: numbers"),
        {"traffic": ALL},
        marked("to notice floods"), "6(1)(f)",
        marked("a day"),
        "tidy", of_people=False,
    ),
    Kept(
        "outbox",
        marked("An email that waits: its kind and a reference; the address only where it is stored nowhere else"),
        {"outbox": ALL},
        marked("to send it"), "6(1)(a), 6(1)(f)",
        marked("until it is sent or given up, 24 hours at most"),
        "deliver",
    ),
    Kept(
        "arrivals",
        marked("That an email to us was acted on: keyed hashes of it, what it was"),
        {"arrivals": ALL},
        marked("to act on none twice"), "6(1)(f)",
        marked("%(arrivals)s after it came"),
        "tidy",
    ),
    Kept(
        "letters_to_read",
        marked("An email to us that a human has to read: sender, subject, date, the email itself"),
        {"letters_to_read": ALL},
        marked("to do what it asks for"), "6(1)(f)",
        marked("until somebody has dealt with it, %(letters)s at most"),
        "tidy",
    ),
    Kept(
        "invitations",
        marked("Somebody from a list that was imported without proof, who is asked once: address, what was filled in, "
               "language; afterwards a keyed hash and the time"),
        {"invitations": ALL},
        marked("to ask for the confirmation, once"), "6(1)(f)",
        marked("until the email is owed, or %(halted)s after too many came back; the hash %(remembered)s after that"),
        "imports",
    ),
    Kept(
        "import files",
        marked("A list that was imported: the file, what became of each row, and which subscriptions it opened"),
        {"import_batches": ALL},
        marked("to report on it, and to undo it"), "6(1)(f)",
        marked("%(file)s after it has ended"),
        "imports",
    ),
    Kept(
        "copies",
        marked("Emails in the mailbox of the try-out mode"),
        {"mailbox": ALL},
        marked("to look at them"), "6(1)(f)",
        marked("24 hours"),
        "tidy", of_people=False,
    ),
    Kept(
        "letters",
        marked("Emails with nothing filled in"),
        {"letters": ALL},
        marked("to read the proof"), "7(1)",
        marked("a day longer than the last proof that needs them"),
        "purge", of_people=False,
    ),
    Kept(
        "holds",
        marked("That something is needed in a legal dispute: keyed hash, reason, who says so, until when"),
        {"holds": ALL},
        marked("to keep it from being deleted"), "17(3)(e)",
        marked("until the hold is lifted and nothing else is stored about the person"),
        "purge",
    ),
    Kept(
        "audit",
        marked("Who looked at or changed somebody’s data, when and why; the person as a keyed hash"),
        {"audit": "about reason"},
        marked("to account for it"), "5(2), 32",
        marked("as long as anything else is stored about the person"),
        "purge",
    ),
    Kept(
        "seals",
        marked("Hashes that show that the evidence was not altered, and how many records were deleted when and why: "
               "nothing about a person"),
        {"leaves": ALL, "seals": ALL, "removals": ALL},
        marked("to show that the proof is whole"), "5(1)(f), 5(2)", _AS_LONG, ends=_BY_OPERATOR, of_people=False,
    ),
    Kept(
        "acts",
        marked("What was done at the desk and by programs: account, action, time, numbers"),
        {"audit": ALL},
        marked("to account for it"), "5(2), 32", _AS_LONG, ends=_BY_OPERATOR, of_people=False,
    ),
    Kept(
        "reads",
        marked("How often a program read a list within an hour"),
        {"reads": ALL},
        marked("to account for it"), "5(2)",
        marked("that hour"),
        "tidy", of_people=False,
    ),
    Kept(
        "sessions",
        marked("Who is signed in to run the service, and links that let them in: hashes, times, which browser"),
        {"desk_sessions": ALL, "account_links": ALL},
        marked("to control who can sign in"), "32",
        marked("links an hour; sessions 60 minutes without use, 12 hours at most"),
        "tidy", of_people=False,
    ),
    Kept(
        "accounts",
        marked("Accounts of people who run the service: email address, role, lists, password and second factor as "
               "hashes or sealed, times"),
        {"accounts": ALL, "passkeys": ALL},
        marked("to control who can sign in"), "6(1)(f), 32", _AS_LONG, ends=_BY_OPERATOR, of_people=False,
    ),
    Kept(
        "service",
        marked("Lists, texts, tokens of programs as hashes, numbers and runs of jobs: nothing about a person"),
        {name: ALL for name in ("lists", "wordings", "policies", "tokens", "export_marks", "counters", "jobs", "meta",
                                "imports")},
        marked("to run the service"), "–", _AS_LONG, ends=_BY_OPERATOR, of_people=False,
    ),
)  # fmt: skip
