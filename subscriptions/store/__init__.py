"""What is remembered: tables, constraints, named queries, transactions."""

from subscriptions.store.setup import init_app

__all__ = ["init_app"]
