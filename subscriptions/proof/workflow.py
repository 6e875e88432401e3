"""How a consent came about in each version of the program, for readers who do not know it: a sentence a row."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from subscriptions.domain.texts import marked

Version = tuple[int, ...]
UNNOTED = (0, 3)  # the last that did not note yet which version ran


class Step(NamedTuple):
    """What held from one version on, until another."""

    says: str
    since: Version = (0, 1)
    before: Version = (99,)


STEPS: Sequence[Step] = (
    Step(marked("Whoever wants a newsletter enters an email address into a form. Nobody is subscribed by that: "
                "the sign-up waits.")),
    Step(marked("A form may be for several lists. Each list has its own box to tick, its own consent text and its own "
                "evidence; one email asks for all of them."), (0, 2)),
    Step(marked("A form that was filled in faster than people type, or by a program, gets one more step, before "
                "anything is stored."), (0, 2)),
    Step(marked("Yestwice sends one email to the address that was entered. It has no advertising. It has a link that "
                "is signed, different for each sign-up, and known only to people who read that mailbox.")),
    Step(marked("The link leads to a page with a button. Opening the page confirms nothing, because mail programs and "
                "virus scanners open links as well; only pressing the button confirms."), before=(0, 2)),
    Step(marked("The link leads to a page with a button, and pressing it confirms. Opening the page confirms nothing, "
                "because mail programs and virus scanners open links as well. There is one exception: in the browser "
                "in which the page after the form is still open, opening the link is enough."), (0, 2)),
    Step(marked("The email also has a code. Typed on the page that follows the form, it confirms as the link does. "
                "Few wrong codes are allowed."), (0, 2)),
    Step(marked("The consent text stood beside the button of the form. The evidence names it where the form told us "
                "which text it had shown."), before=(0, 4)),
    Step(marked("The consent text that applies is fixed when somebody signs up. It is in the email and on the page "
                "with the button, and the evidence names it by its hash, also where the form did not say which text it "
                "had shown."), (0, 4)),
    Step(marked("The time to confirm is limited: 24 hours, unless the operator has chosen another time. After that the "
                "sign-up is blocked, used for nothing, and deleted after a month at most.")),
    Step(marked("The email also has a button “This was not me”, which deletes the sign-up and stops further "
                "confirmation emails.")),
    Step(marked("The time and the IP address of the sign-up and of the confirmation, the email as it was sent and what "
                "the mail server that took it replied are kept as evidence. The database refuses to change it.")),
    Step(marked("The database also refuses to delete evidence while the sign-up or subscription that it is about is "
                "stored."), (0, 4)),
    Step(marked("Each event of the evidence is sealed within minutes: its hash enters a chain of signed blocks, so "
                "that a later change, removal or insertion is noticed."), (0, 6)),
)  # fmt: skip


class Ran(NamedTuple):
    """A version that ran while something happened: since when and until when, as far as was noted."""

    version: str  # empty: not noted
    since: datetime | None
    until: datetime | None
    steps: Sequence[str]  # those that the version before did not have


def ran(versions: Sequence[tuple[datetime, str]], first: datetime, last: datetime) -> Iterator[Ran]:
    """The versions that ran from one moment to another; `versions` is what the installation has noted."""
    began, known = [(None, ""), *versions], set[str]()
    ended = [*(at for at, _ in versions), None]
    for (since, version), until in zip(began, ended, strict=True):
        if (since is None or since <= last) and (until is None or until > first):
            yield Ran(version, since, until, [step for step in _steps(version) if step not in known])
            known.update(_steps(version))


def _steps(version: str) -> Sequence[str]:
    number = parse(version) or UNNOTED
    return [step.says for step in STEPS if step.since <= number < step.before]


def parse(version: str) -> Version | None:
    """Its first two numbers; none where it has none."""
    numbers = version.split(".")[:2]
    return tuple(map(int, numbers)) if len(numbers) == 2 and all(map(str.isdecimal, numbers)) else None
