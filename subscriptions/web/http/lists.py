"""The list that an address names, or 404."""

from collections.abc import Iterable

from flask import abort

from subscriptions.languages import marked
from subscriptions.parts import current_parts
from subscriptions.store.models import List
from subscriptions.web.http import language
from subscriptions.web.http.problems import answer

_NOT_YET = marked("This list does not take sign-ups yet.")


def the_list(slug: str) -> List:
    """The list of that name that takes sign-ups, or 404; a page about it."""
    parts = current_parts()
    row = parts.catalogue.by_slug(slug)
    if row is None:
        parts.follow()  # another process may have made it just now
        row, is_draft = parts.catalogue.by_slug(slug), any(one.slug == slug for one in parts.catalogue.kept)
    if row is None:
        abort(answer(404, _NOT_YET) if is_draft else 404)
    language.of_list(row)
    return language.said(row)


def there_are(slugs: Iterable[str]) -> list[List]:
    """Those that take sign-ups, of the lists that are named."""
    return current_parts().catalogue.by_slugs(slugs)


def any_list(slug: str) -> List:
    """Also one that takes no sign-ups any more: people still leave it, and programs read it."""
    rows = current_parts().catalogue.lists.values()
    return next((row for row in rows if row.slug == slug), None) or abort(404)
