"""The kinds of mail, a row for each; what a mail says stands in its templates, `email/<kind>/`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Self

from subscriptions.domain.texts import marked

HOUR = timedelta(hours=1)


class SuppressionScope(StrEnum):
    """Which mails a suppression stops; the wider one comes first, also as text."""

    ALL = "all"
    CONFIRMATIONS = "confirmations"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """It was called `ask` before 0.3.0, and is understood by that name until 1.0."""
        return cls("confirmations") if value == "ask" else None


class Reaches(Enum):
    """In which state somebody must be when the mail leaves."""

    SUBSCRIBED = "subscribed"
    WAITING = "signed up, and the time to confirm not over"
    ANY = "whatever became of what it is about"


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be known of a kind.

    One that says nothing reaches subscribers alone whom nothing stands against, within the address's budget, and
    names the link by which they leave.
    """

    noun: str = marked("email")  # what `explain` calls it
    to_operator: bool = False  # about nobody, to who keeps the service, in English
    to_account: bool = False  # to who works at the desk: no suppression of a subscriber stops it
    reaches: Reaches = Reaches.SUBSCRIBED
    despite: SuppressionScope | None = None  # the widest suppression that does not stop it
    though_restricted: bool = False
    budgeted: bool = True  # a stranger can cause it, so it leaves when the address's budget says
    life: timedelta = 24 * HOUR  # from the time that it is due; of a form, as long as that can be confirmed
    leaves_by: str | None = "unsubscribe_url"  # the link of ours in its List-Unsubscribe
    of_form: bool = False  # about all the lists of its form, otherwise about one
    of_all: bool = False  # about all that is stored of somebody: it speaks for every list, whichever it hangs on
    says_when: bool = False  # when it was asked for or happened; and it opens the page of preferences
    of_request: bool = False  # about one that somebody has made of us
    answers: bool = False  # a message that came, which it names; a machine writes it (RFC 3834)
    names_lists: bool = False
    repeats_wording: bool = False
    may_show_picture: bool = False  # the logo in a mail that nobody agreed to was advertising to a court
    says: Mapping[str, str] = field(default_factory=dict)  # values that both parts must show, by what they tell


def _of_request(noun: str, says: Mapping[str, str]) -> Row:
    """A mail about a request: who has asked, or is asked, gets it whatever stands against others."""
    return Row(noun=noun, reaches=Reaches.ANY, despite=SuppressionScope.ALL, though_restricted=True, budgeted=False,
               leaves_by=None, of_request=True, says=says)  # fmt: skip


class MailKind(StrEnum):
    """`kind.row` is its row."""

    row: Row

    def __new__(cls, name: str, row: Row = Row()) -> Self:
        kind = str.__new__(cls, name)
        kind._value_, kind.row = name, row
        return kind

    CONFIRM = "confirm", Row(
        noun=marked("confirmation email"), reaches=Reaches.WAITING, leaves_by="not_me_url", of_form=True,
        names_lists=True, repeats_wording=True,
        says={"registered_at": "when it was asked for", "confirm_by": "how long there is time", "code": "the code"},
    )  # fmt: skip
    MOVE = "move", Row(  # the same where somebody moves here from another address: no page waits for a code
        noun=marked("email about the change of address"), reaches=Reaches.WAITING, leaves_by="not_me_url", of_form=True,
        names_lists=True, repeats_wording=True,
        says={"registered_at": "when it was asked for", "confirm_by": "how long there is time"},
    )  # fmt: skip
    INVITE = "invite", Row(  # the same where a list was imported without proof: asked once, and nobody has signed up
        noun=marked("invitation to confirm"), reaches=Reaches.WAITING, leaves_by="not_me_url", of_form=True,
        names_lists=True, repeats_wording=True, says={"confirm_by": "how long there is time"},
    )  # fmt: skip
    WELCOME = "welcome", Row(
        noun=marked("welcome email"), despite=SuppressionScope.CONFIRMATIONS, budgeted=False, names_lists=True,
        repeats_wording=True, may_show_picture=True, says={"confirmed_at": "when it was confirmed"},
    )  # fmt: skip
    ALREADY_SUBSCRIBED = "already_subscribed", Row(noun=marked('"you are already subscribed" email'), names_lists=True)
    ERASED = "erased", Row(
        noun=marked("email about the erasure"), reaches=Reaches.ANY, despite=SuppressionScope.ALL,
        though_restricted=True, budgeted=False, life=HOUR, leaves_by=None, of_all=True,
        says={"erased_keeps": "what stays and until when"},
    )  # fmt: skip
    PREFERENCES = "preferences", Row(  # the link to one's own; a request, no step of a life, owes it
        noun=marked("email with the link to their own page"), reaches=Reaches.ANY,
        despite=SuppressionScope.CONFIRMATIONS, though_restricted=True, life=HOUR, leaves_by=None, of_all=True,
        says_when=True, says={"owed_at": "when it was asked for"},
    )  # fmt: skip
    ADDRESS_CHANGED = "address_changed", Row(
        noun=marked("email about the changed address"), reaches=Reaches.ANY, despite=SuppressionScope.CONFIRMATIONS,
        though_restricted=True, budgeted=False, leaves_by=None, says_when=True, says={"owed_at": "when it was changed"},
    )  # fmt: skip
    INVITATION = "invitation", Row(
        noun=marked("invitation to the desk"), to_account=True, reaches=Reaches.ANY, budgeted=False, life=HOUR,
        leaves_by=None, of_all=True,
    )  # fmt: skip
    LOST_PASSWORD = "lost_password", Row(  # a stranger can ask for it, so each account has a budget of its own
        noun=marked("email with the link to a new password"), to_account=True, reaches=Reaches.ANY, budgeted=False,
        life=HOUR, leaves_by=None, of_all=True,
    )  # fmt: skip
    # GDPR 12(5): what is stored of nobody is told as well, at most once in 30 days
    NOTHING_STORED = "nothing_stored", Row(
        noun=marked("email that nothing is stored"), reaches=Reaches.ANY, despite=SuppressionScope.CONFIRMATIONS,
        life=HOUR, leaves_by=None, of_all=True,
    )  # fmt: skip
    UNRESTRICTING = "unrestricting", Row(  # before it is done (GDPR 18(3))
        noun=marked("email about the end of the restriction"), despite=SuppressionScope.CONFIRMATIONS,
        though_restricted=True, budgeted=False, names_lists=True,
    )  # fmt: skip
    REQUEST_RECEIVED = (
        "request_received",
        _of_request(marked("receipt of a request"), {"request_number": "its number", "request_due": "until when"}),
    )
    REQUEST_FILED = (
        "request_filed",
        _of_request(  # to who answers them: never what was written
            marked("email about a new request"), {"request_number": "its number", "request_due": "until when"}
        ),
    )
    REQUEST_EXTENDED = (
        "request_extended",
        _of_request(marked("email that a request takes longer"), {"request_due": "until when", "request_why": "why"}),
    )
    REQUEST_ANSWERED = (
        "request_answered",
        _of_request(marked("email that a request is answered"), {"request_number": "its number"}),
    )
    REQUEST_REFUSED = (
        "request_refused",
        _of_request(marked("email that a request is refused"), {"request_number": "its number", "request_why": "why"}),
    )
    REQUESTS_DUE = "requests_due", Row(
        noun=marked("email about overdue requests"), to_account=True, reaches=Reaches.ANY, budgeted=False,
        leaves_by=None, of_all=True, says={"request_number": "how many"},
    )  # fmt: skip
    FACTORS_GONE = "factors_gone", Row(  # an owner has taken them away
        noun=marked("email about the second factor"), to_account=True, reaches=Reaches.ANY, budgeted=False, life=HOUR,
        leaves_by=None, of_all=True,
    )  # fmt: skip
    LEFT_BY_MAIL = "left_by_mail", Row(
        noun=marked("email that they are unsubscribed"), reaches=Reaches.ANY, despite=SuppressionScope.CONFIRMATIONS,
        though_restricted=True, budgeted=False, leaves_by=None, of_all=True, says_when=True, answers=True,
        says={"owed_at": "when it was asked for", "lists_left": "which lists"},
    )  # fmt: skip
    LEAVE_ASKED = "leave_asked", Row(  # to who, as it seems, wrote that they want to leave; all lists, by its button
        noun=marked("email that asks whether to unsubscribe"), despite=SuppressionScope.CONFIRMATIONS,
        though_restricted=True, of_all=True, says_when=True, answers=True, says={"owed_at": "when it was asked for"},
    )  # fmt: skip
    ALARM = "alarm", Row(  # when the breaker opens
        noun=marked("alarm"), to_operator=True, budgeted=False, leaves_by=None,
        says={"causes": "why it is on", "began": "since when", "on_until": "until when"},
    )  # fmt: skip
    RETURNS = "returns", Row(  # when bounces or spam reports rise
        noun=marked("alarm about bounces"), to_operator=True, budgeted=False, leaves_by=None,
        says={"causes": "what has risen"},
    )  # fmt: skip
    NUMBERS = "numbers", Row(  # to an account that wants them
        noun=marked("email with numbers"), to_account=True, reaches=Reaches.ANY, budgeted=False, leaves_by=None,
        of_all=True, says={"numbers": "the numbers", "told_since": "since when"},
    )  # fmt: skip
    HEAD = "head", Row(  # every week, to who keeps it elsewhere
        noun=marked("email with the head of the evidence"), to_operator=True, budgeted=False, leaves_by=None,
        says={"evidence_head": "the head"},
    )  # fmt: skip
    TEST = "test", Row(noun=marked("test email"), to_operator=True, budgeted=False, leaves_by=None)


def noun(kind: object) -> str:
    """What a kind is called; also one that there is no more."""
    return next((known.row.noun for known in MailKind if known == kind), "email")
