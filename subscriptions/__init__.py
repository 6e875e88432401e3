"""Yestwice: the consent gate in front of any newsletter sender."""

__version__ = "0.8.0"
