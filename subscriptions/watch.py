"""The breaker that watches how many sign-ups come in, and where they go."""


class Watch:
    """What this process knows of it. Both methods are asked for every sign-up: memory alone."""

    def note(self, list_id: int, domain: str) -> None:
        """A sign-up was taken for that list and that mail domain."""

    def is_on(self, list_id: int, domain: str) -> bool:
        """Whether something unusual goes on: everywhere, for this list, or for this mail domain."""
        return False
