"""Through every page in every state that it has, as a visitor goes."""

from collections.abc import Iterator

from tests.support.visitor import CONFIRM, NOT_ME, Visitor


def tour(visitor: Visitor) -> Iterator[str]:
    """Through every page in every state it has; the name of each, while it is on the screen. Needs a fresh server."""
    yield from _asking(visitor)
    yield from _confirming_and_leaving(visitor)
    yield from _disowning(visitor)
    yield from _too_late(visitor)
    yield from _managing(visitor)


def _asking(visitor: Visitor) -> Iterator[str]:
    visitor.go("/mailbox")
    yield "mailbox-empty"
    visitor.go("/")
    yield "start"
    visitor.go("/subscribe/newsletter")
    yield "form"
    visitor.sign_up("anne@example", "Anne")
    yield "form-error"
    visitor.sign_up("anne@gmial.com", "Anne")
    yield "form-hint"
    visitor.go("/subscribe/newsletter")
    visitor.page.locator("[name=website]").evaluate("field => field.value = 'https://example.org'")
    visitor.page.get_by_label("Email address").fill("anne@example.org")
    visitor.press("Subscribe")
    yield "one-more-step"
    visitor.go("/subscribe")
    yield "several"
    visitor.go("/retention")
    yield "retention"
    visitor.go("/nowhere")
    yield "error"


def _confirming_and_leaving(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("anne@example.org", "Anne")
    yield "check-inbox"
    yield from _wrong_codes(visitor)
    visitor.open_mailbox("anne@example.org")
    yield "mailbox"
    visitor.open_mail("anne@example.org")
    yield "mail"
    visitor.press_in_mail(CONFIRM)
    yield "confirm"
    link = visitor.page.url
    visitor.press("Yes, subscribe me")
    yield "subscribed"
    visitor.follow("Unsubscribe")
    yield "unsubscribe"
    visitor.press("Unsubscribe")
    yield "unsubscribed"
    visitor.page.goto(link)
    yield "gone-ended"


def _wrong_codes(visitor: Visitor) -> Iterator[str]:
    visitor.press("Send another email")
    yield "check-inbox-again"
    for name in ("wrong-code", "", "codes-used-up"):
        visitor.page.get_by_label("Code").fill("ABCD-EFGH")
        visitor.press("Confirm")
        if name:
            yield name


def _disowning(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("bart@example.org")
    visitor.open_mail("bart@example.org")
    visitor.press_in_mail(NOT_ME)
    yield "not-me"
    visitor.press("This was not me")
    yield "not-me-done"
    visitor.press("Undo")
    yield "not-me-undone"


def _too_late(visitor: Visitor) -> Iterator[str]:
    visitor.sign_up("cris@example.org")
    visitor.open_mail("cris@example.org")
    visitor.press_in_mail(CONFIRM)
    link = visitor.page.url
    visitor.move_clock("+24 hours")
    yield "time-machine"
    visitor.page.goto(link)
    yield "gone-late"
    visitor.move_clock("+1 month")
    visitor.page.goto(link)
    yield "gone"


def _managing(visitor: Visitor) -> Iterator[str]:
    """The preferences of a subscriber, from the wish for the link to its end."""
    dora = "dora@example.org"
    visitor.sign_up(dora, "Dora")
    visitor.open_mail(dora)
    visitor.press_in_mail(CONFIRM)
    visitor.press("Yes, subscribe me")
    visitor.move_clock("+1 hour")  # the budget of mails to one address
    visitor.go("/preferences")
    yield "preferences-ask"
    visitor.page.get_by_label("Email address").fill(dora)
    visitor.press("Email me my link")
    yield "preferences-sent"
    visitor.open_mail(dora, mails=2)
    yield "preferences-mail"
    visitor.press_in_mail("Open your subscriptions and data")
    link = visitor.page.url
    yield "preferences-open"
    visitor.press("Open your subscriptions and data")
    yield "preferences"
    visitor.page.get_by_label("Your words").fill("Where did you get my address?")
    visitor.press("Send")
    yield "my-data-written"
    visitor.press("Show everything")
    for summary in visitor.page.locator("summary").all():
        summary.click()
    yield "my-data-stored"
    visitor.press("Back to your page")
    visitor.press("Delete my data")
    yield "my-data-erase"
    visitor.press("No, go back")
    visitor.press("Leave")
    yield "preferences-left"
    visitor.press("Never write to me again")
    yield "preferences-never"
    visitor.press("Nothing more from anyone on this service")
    yield "preferences-silent"
    visitor.page.goto(link)
    yield "preferences-used"
    visitor.go("/mailbox/templates")
    yield "templates"
