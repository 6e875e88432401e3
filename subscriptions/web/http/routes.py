"""The routes, a row for each: who may call it, what it takes, and whether it counts for the limit of a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map


class Who(Enum):
    """Who may call a route; a token must have the scope of its row."""

    NOBODY = auto()  # what a route without a row says
    EVERYONE = auto()
    MAY_HAVE_TOKEN = auto()  # everyone, but a token that is shown must be right
    TOKEN = auto()
    LOOPBACK = auto()  # to others it is not there
    LOOPBACK_OR_TOKEN = auto()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a body may be; its least rate follows from size and time."""

    at_most: int = 64 * 1024  # octets
    parts: int = 50  # fields of a form
    seconds: float = 10.0


USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Route:
    """`limits`: larger ones hold only for who shows credentials; `per_network`: its calls count for that limit."""

    who: Who = Who.NOBODY
    scope: str = ""
    limits: Limits = USUAL
    per_network: bool = False


_PAGE = Route(Who.EVERYONE)
_SIGN_UP = Route(Who.EVERYONE, per_network=True)
_TRYOUT = Route(Who.LOOPBACK)

ROUTES: dict[str, Route] = {
    "static": _PAGE,
    "pages.index": _PAGE,
    "pages.form": _PAGE,
    "pages.choose": _PAGE,
    "pages.subscribe": _SIGN_UP,
    "pages.subscribe_chosen": _SIGN_UP,
    "inbox.check_inbox": _PAGE,
    "inbox.again": _SIGN_UP,
    "inbox.code": _PAGE,
    "confirm.show": _PAGE,
    "confirm.confirm": _PAGE,
    "confirm.again": _PAGE,  # a button of a mail counts for no network
    "leave.unsubscribe_page": _PAGE,
    "leave.unsubscribe": _PAGE,
    "leave.lift": _PAGE,
    "leave.not_me_page": _PAGE,
    "leave.not_me": _PAGE,
    "leave.undo": _PAGE,
    "preferences.form": _PAGE,
    "preferences.ask": _SIGN_UP,
    "preferences.sent": _PAGE,
    "preferences.link_page": _PAGE,
    "preferences.open_": _PAGE,
    "preferences.again": _PAGE,
    "preferences.reload": _PAGE,
    "preferences.do": _PAGE,
    "branding.style": _PAGE,
    "branding.logo": _PAGE,
    "embed.page": _PAGE,
    "embed.script": _PAGE,
    "frame.form": _PAGE,
    "frame.subscribe": _SIGN_UP,
    "frame.check_inbox": _PAGE,
    "frame.again": _SIGN_UP,
    "frame.code": _PAGE,
    "form_data.form": _PAGE,
    "api.challenge": _PAGE,
    "api.subscribe": Route(Who.MAY_HAVE_TOKEN, "subscribe", per_network=True),
    "confirmations.confirm": _PAGE,
    "lists.lists": Route(Who.TOKEN, "read"),
    "lists.subscriptions_of": Route(Who.TOKEN, "read"),
    "lists.export": Route(Who.TOKEN, "export"),
    "openapi.openapi": _PAGE,
    "health.healthz": _PAGE,
    "health.readyz": _PAGE,  # its details: as /metrics
    "health.metrics": Route(Who.LOOPBACK_OR_TOKEN, "read"),
    "mailbox.index": _TRYOUT,
    "mailbox.show": _TRYOUT,
    "mailbox.body": _TRYOUT,
    "mailbox.source": _TRYOUT,
    "mailbox.move_clock": _TRYOUT,
    "previews.index": _TRYOUT,
    "previews.show": _TRYOUT,
    "previews.body": _TRYOUT,
    "previews.source": _TRYOUT,
}
NOBODYS = Route()
_CREDENTIALS = {"authorization", "cookie"}


def route(endpoint: str | None) -> Route:
    """The row of a route, nobody's where there is none."""
    return ROUTES.get(endpoint or "", NOBODYS)


def shows_credentials(headers: Mapping[str, str]) -> bool:
    return not _CREDENTIALS.isdisjoint(headers)


def limits_by(url_map: Map) -> Callable[[str, str, Mapping[str, str]], Limits]:
    """For a server that has a request's method, path and headers (in small letters), and awaits its body.

    Strangers get the usual limits without a look at the routes.
    """
    adapter = url_map.bind("localhost")

    def limits(method: str, path: str, headers: Mapping[str, str]) -> Limits:
        if not larger or not shows_credentials(headers):
            return USUAL
        try:
            return route(adapter.match(path, method)[0]).limits
        except HTTPException:
            return USUAL

    larger = any(one.limits != USUAL for one in ROUTES.values())
    return limits
