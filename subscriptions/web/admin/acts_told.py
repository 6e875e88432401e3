"""An act of the audit as a sentence: who did what, in plain words."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from markupsafe import Markup

from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import ActorKind, Audit
from subscriptions.web.http import language

# by the act's name: the sentence, or two of them, for one and for several
SAYS: Mapping[str, str | tuple[str, str]] = {
    "read": (marked("%(who)s read %(lists)s once."), marked("%(who)s read %(lists)s %(num)s times within an hour.")),
    "export": (marked("%(who)s exported %(num)s address of %(lists)s."),
               marked("%(who)s exported %(num)s addresses of %(lists)s.")),
    "export taken": marked("%(who)s has received the whole export of %(lists)s."),
    **dict.fromkeys(("import file", "import start"), marked("%(who)s looked at or began an import into %(lists)s.")),
    "import undo": (marked("%(who)s undid an import of %(num)s person."),
                    marked("%(who)s undid an import of %(num)s people.")),
    "import resume": marked("%(who)s let the invitations of an import go on."),
    **dict.fromkeys(("import show", "import report"), marked("%(who)s took the report of an import.")),
    "explain": marked("%(who)s looked up what happened to a person."),
    "proof": marked("%(who)s took the proof of a person’s consent to %(lists)s."),
    "proof court": marked("%(who)s took the proof of a person’s consent to %(lists)s with the email’s working links, "
                          "for a court."),
    **dict.fromkeys(("unsubscribe", "people unsubscribe"), marked("%(who)s unsubscribed a person from %(lists)s.")),
    "erase": marked("%(who)s erased a person, or looked at what that would erase."),
    "suppressions show": marked("%(who)s looked up which emails are stopped."),
    **dict.fromkeys(("suppressions add", "people suppress"), marked("%(who)s stopped emails to a person.")),
    **dict.fromkeys(("suppressions lift", "people lift"), marked("%(who)s allowed emails to a person again.")),
    **dict.fromkeys(("hold add", "people hold"),
                    marked("%(who)s placed a legal hold on what is stored about a person.")),
    "hold show": marked("%(who)s looked up legal holds."),
    **dict.fromkeys(("hold lift", "people release"), marked("%(who)s lifted a legal hold.")),
    "people find": (marked("%(who)s searched for people: %(num)s was found."),
                    marked("%(who)s searched for people: %(num)s were found.")),
    "people show": marked("%(who)s opened a person’s page."),
    "people erase": marked("%(who)s erased a person."),
    "people sign up": marked("%(who)s signed a person up for %(lists)s: an email asked them to confirm."),
    "people send again": marked("%(who)s had the confirmation email for %(lists)s sent again."),
    "people cancel": marked("%(who)s cancelled a person’s sign-up for %(lists)s."),
    "people correct": marked("%(who)s corrected what is stored about a person."),
    "people correct look": (marked("%(who)s looked up %(num)s person of %(lists)s to correct."),
                            marked("%(who)s looked up %(num)s people of %(lists)s to correct.")),
    "people move": marked("%(who)s entered a new address of a person: an email asked there to confirm."),
    "people restrict": marked("%(who)s restricted a person’s subscription to %(lists)s."),
    "people unrestrict": marked("%(who)s lifted the restriction of a person’s subscription to %(lists)s."),
    "people answers": marked("%(who)s prepared the answers to a person’s questions about their data."),
    "requests open": marked("%(who)s read a request about personal data."),
    "requests show": (marked("%(who)s looked up %(num)s request about personal data."),
                      marked("%(who)s looked up %(num)s requests about personal data.")),
    "requests enter": marked("%(who)s entered a request about personal data."),
    "requests answer": marked("%(who)s answered a request about personal data."),
    "requests extend": marked("%(who)s extended a request about personal data."),
    "requests refuse": marked("%(who)s refused a request about personal data."),
    "mail show": (marked("%(who)s looked up %(num)s email that waits to be read."),
                  marked("%(who)s looked up %(num)s emails that wait to be read.")),
    "mail read": marked("%(who)s read an email that came."),
    "mail answered": marked("%(who)s answered an email that came."),
    "mail ignored": marked("%(who)s ignored an email that came."),
    "mail entered": marked("%(who)s entered an email that came as a request about personal data."),
    "mail unsubscribed": marked("%(who)s unsubscribed the sender of an email that came."),
    "people back look": (marked("%(who)s looked up whether %(num)s address is subscribed to %(lists)s."),
                         marked("%(who)s looked up which of %(num)s addresses are subscribed to %(lists)s.")),
    "people back": (marked("%(who)s ended %(num)s subscription to %(lists)s that had ended elsewhere."),
                    marked("%(who)s ended %(num)s subscriptions to %(lists)s that had ended elsewhere.")),
    "events": (marked("%(who)s told %(num)s event of the program that sends: a bounce, a spam report or who left."),
               marked("%(who)s told %(num)s events of the program that sends: bounces, spam reports, who left.")),
    "accounts invite": marked("%(who)s invited %(account)s as %(role)s."),
    "accounts role": marked("%(who)s gave %(account)s the role %(role)s."),
    "accounts reset": marked("%(who)s made a link for a new password of %(account)s."),
    "accounts second factor": marked("%(who)s removed second factor, passkeys and password of %(account)s."),
    "accounts disable": marked("%(who)s closed the account of %(account)s."),
    "tokens create": marked("%(who)s created the token %(token)s (%(scope)s)."),
    "tokens revoke": marked("%(who)s revoked the token %(token)s."),
    "audit show": marked("%(who)s looked up what was done about a person."),
    "abuse cancel begun": (marked("%(who)s began to cancel %(num)s sign-up of an attack."),
                           marked("%(who)s began to cancel %(num)s sign-ups of an attack.")),
    "abuse cancel done": (marked("%(who)s cancelled %(num)s sign-up of an attack."),
                          marked("%(who)s cancelled %(num)s sign-ups of an attack.")),
    "abuse refresh": marked("%(who)s renewed the list of throw-away domains: it has %(num)s."),
    "jobs run": marked("%(who)s ran the job %(job)s by hand."),
    "account password": marked("%(who)s chose a new password."),
    "account second factor": marked("%(who)s turned on a second factor."),
    "account no second factor": marked("%(who)s turned off the second factor."),
    "account recovery codes": marked("%(who)s made new recovery codes."),
    "account passkey": marked("%(who)s added a passkey."),
    "account no passkey": marked("%(who)s removed a passkey."),
    "lists create": marked("%(who)s made the list %(lists)s."),
    "lists edit": marked("%(who)s changed what is said about %(lists)s."),
    "lists wording": marked("%(who)s changed the consent text of %(lists)s."),
    "lists archive": marked("%(who)s archived %(lists)s."),
    "lists restore": marked("%(who)s brought %(lists)s back."),
    "lists take-over": marked("%(who)s took %(lists)s over from the configuration file."),
    "record copied": marked("%(who)s copied the text for the privacy policy of %(lists)s."),
    "clock": marked("%(who)s moved the clock of the try-out mode ahead."),
    "numbers choose": marked("%(who)s chose how often they get numbers by email."),
    "backup": marked("%(who)s made a backup."),
    "restore": marked("%(who)s restored a backup."),
    "health check": marked("%(who)s checked whether emails arrive, and what else needs mending."),
    "health send": marked("%(who)s sent themselves the confirmation email of %(lists)s, as a test."),
    "go-live": marked("%(who)s took the service live and removed what had been tried out."),
}  # fmt: skip
_IN_WORDS = {"list", "lists", "account", "role", "token", "scope", "job", "to"}  # details that sentences have


def told(row: Audit, names: Mapping[str, str]) -> dict[str, Any]:
    """`names`: the addresses of accounts by their numbers."""
    says = SAYS.get(row.act, "%(who)s: %(act)s")
    text = says if isinstance(says, str) else says[row.count != 1]
    details, known = {name: value for name, value in row.details.items() if value not in (None, [])}, row.details
    values = {
        "who": Markup("<strong><bdi>{}</bdi></strong>").format(_who(row, names)), "act": row.act,
        "num": row.count, "lists": _lists(known), "account": Markup("<bdi>{}</bdi>").format(
            names.get(str(known.get("account")), "?")),
        "role": known.get("role", "?"), "token": known.get("token", "?"), "scope": known.get("scope", "?"),
        "job": known.get("job", "?"),
    }  # fmt: skip
    left = {name: value for name, value in details.items() if row.act not in SAYS or name not in _IN_WORDS}
    return {"at": row.at, "says": language.in_markup(text, **values), "reason": row.reason, "details": left}


def _who(row: Audit, names: Mapping[str, str]) -> str:
    told: dict[ActorKind, str] = {
        ActorKind.COMMAND: gettext("%(name)s, on the server,", name=row.actor),
        ActorKind.TOKEN: gettext("The token %(name)s", name=row.actor),
        ActorKind.TRY_OUT: gettext("Somebody at this machine"),
        ActorKind.ACCOUNT: names.get(row.actor, row.actor),
    }
    return told[row.actor_kind]


def _lists(details: Mapping[str, Any]) -> object:
    """By their names; where an act names none, it was about all of them."""
    slugs = details.get("lists") or ([details["list"]] if details.get("list") else [])
    known = {row.slug: row for row in current_parts().catalogue.lists.values()}
    rows = [known[slug] for slug in slugs if slug in known]
    return language.named(rows) if rows else ", ".join(slugs) or gettext("every list")
