"""Texts for people that stand in the rules: in English here, translated where they are shown."""


def marked(text: str) -> str:
    """The text itself, marked for the catalogues."""
    return text
