"""The verbs. One function is one transaction, and every one takes `now`."""


class Refused(Exception):
    """What somebody at the desk or a command asked for cannot be; the reason is a sentence for them."""
