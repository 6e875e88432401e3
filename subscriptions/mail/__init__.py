"""What is said: owed mails become messages, and messages leave through Flask-Mail."""

from subscriptions.mail.setup import init_app

__all__ = ["init_app"]
