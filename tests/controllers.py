"""Lists of two controllers, with senders and time zones of their own; and one that is not public, of a third."""

from typing import Any

from subscriptions.settings import ListSettings
from tests.builders import HIDDEN, NEWS, OFFERS

LETTERS = "letters"
SOCIETY, CLUB, OURS = "news@society.example", "post@club.example", "newsletter@example.org"
_SOCIETY: dict[str, Any] = {
    "sender": f"Society <{SOCIETY}>", "reply_to": "answers@society.example", "controller": "Example Society",
    "postal_address": "1 Example Street", "imprint_url": "https://society.example/imprint",
    "policy_url": "https://society.example/privacy", "privacy_contact": "privacy@society.example",
    "timezone": "Europe/Berlin",
}  # fmt: skip
TWO_CONTROLLERS = (
    ListSettings(slug=NEWS, name="Newsletter", **_SOCIETY),
    ListSettings(slug=LETTERS, name="Letters", **_SOCIETY),
    ListSettings(slug=OFFERS, name="Offers", sender=f"Club <{CLUB}>", controller="The Club", welcome=True,
                 postal_address="2 Club Road", timezone="America/New_York", colour="#aa0000"),
    ListSettings(slug=HIDDEN, name="Hidden", public=False, controller="Secret Ltd", timezone="UTC"),
)  # fmt: skip
