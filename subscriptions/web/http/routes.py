"""The routes, a row for each: who may call it, what it takes, what it counts for and what it leaves in the audit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from subscriptions.domain.roles import Right


class Who(Enum):
    """Who may call a route; a token must have the scope of its row."""

    NOBODY = auto()  # what a route without a row says
    EVERYONE = auto()
    MAY_HAVE_TOKEN = auto()  # everyone, but a token that is shown must be right
    TOKEN = auto()
    LOOPBACK = auto()  # to others it is not there
    LOOPBACK_OR_TOKEN = auto()
    DESK = auto()  # the way in to the desk: everyone in a network that may come there
    ACCOUNT = auto()  # who is signed in at the desk and has the right of its row


@dataclass(frozen=True, slots=True)
class Limits:
    """What a body may be; its least rate follows from size and time."""

    at_most: int = 64 * 1024  # octets
    parts: int = 50  # fields of a form
    seconds: float = 10.0


USUAL = Limits()


class Trace(Enum):
    """What a call with a token leaves in the audit."""

    COUNTED = auto()  # one row for each token, list and hour: what a route that says nothing leaves
    ITS_OWN = auto()  # the view writes it, in the transaction of the act
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """`limits`: larger ones hold only for who shows credentials; `per_network`: its calls count for that limit."""

    who: Who = Who.NOBODY
    scope: str = ""
    limits: Limits = USUAL
    per_network: bool = False
    trace: Trace = Trace.COUNTED
    right: Right | None = None  # of an account; none: every one
    is_grave: bool = False  # the password is asked for once more, unless it was given just now
    of_all: bool = False  # about every list, so not for who sees some
    by_password: bool = False  # a webhook that can show nothing else may send its token as the password
    is_first: bool = False  # reached also by who has to set up a second factor first


_PAGE = Route(Who.EVERYONE)
_SIGN_UP = Route(Who.EVERYONE, per_network=True)
_TRYOUT = Route(Who.LOOPBACK)
_READ = Route(Who.TOKEN, "read")
_DESK, _MINE = Route(Who.DESK), Route(Who.ACCOUNT)
_COMING_IN = Route(Who.DESK, limits=Limits(at_most=512 * 1024))  # what was typed before comes along
_MY_KEYS, _FIRST = Route(Who.ACCOUNT, is_grave=True), Route(Who.ACCOUNT, is_grave=True, is_first=True)
_NUMBERS = Route(Who.ACCOUNT, right=Right.NUMBERS)
_PEOPLE = Route(Who.ACCOUNT, right=Right.PEOPLE)
_ACTS, _PRIVACY = Route(Who.ACCOUNT, right=Right.ACTS), Route(Who.ACCOUNT, right=Right.PRIVACY)
_OF_ALL = replace(_PRIVACY, of_all=True)
_MAIL = replace(_PEOPLE, of_all=True)
_HOLD = replace(_OF_ALL, is_grave=True)
_AUDIT = Route(Who.ACCOUNT, right=Right.AUDIT, of_all=True)
_EXPORT = Route(Who.ACCOUNT, right=Right.EXPORT)
_UPLOADS = Limits(at_most=6 * 1024 * 1024, parts=500, seconds=60.0)  # a file, and the texts of a list
_IMPORT = Route(Who.ACCOUNT, right=Right.EXPORT)  # who may bring a list in may take it out
_COLUMNS = replace(_IMPORT, limits=Limits(parts=300))  # one for each column
_TEXTS, _LOOK = (Route(Who.ACCOUNT, right=right, limits=_UPLOADS) for right in (Right.TEXTS, Right.NUMBERS))
_SERVICE = Route(Who.ACCOUNT, right=Right.SERVICE, is_grave=True)
_LISTS = replace(_SERVICE, is_grave=False)  # none of it is for good
_EVENTS = Route(Who.TOKEN, "manage", Limits(at_most=1024 * 1024), trace=Trace.ITS_OWN, by_password=True)
_BY_PROGRAM = Route(Who.MAY_HAVE_TOKEN, "subscribe", per_network=True, trace=Trace.NONE)  # the evidence names it


def _of(blueprint: str, **rows: Route) -> dict[str, Route]:
    return {f"{blueprint}.{view}": row for view, row in rows.items()}


ROUTES: dict[str, Route] = {
    "static": _PAGE,
    **_of("pages", index=_PAGE, form=_PAGE, choose=_PAGE, subscribe=_SIGN_UP, subscribe_chosen=_SIGN_UP),
    **_of("inbox", check_inbox=_PAGE, again=_SIGN_UP, code=_PAGE, correct=_PAGE),
    **_of("confirm", show=_PAGE, confirm=_PAGE, again=_PAGE),  # a button of a mail counts for no network
    **_of("leave", unsubscribe_page=_PAGE, unsubscribe=_PAGE, lift=_PAGE),
    **_of("leave", not_me_page=_PAGE, not_me=_PAGE, undo=_PAGE),
    **_of("preferences", form=_PAGE, ask=_SIGN_UP, sent=_PAGE, link_page=_PAGE, open_=_PAGE, again=_PAGE),
    **_of("preferences", reload=_PAGE, do=_PAGE),
    **_of("versions", wording=_PAGE, policy=_PAGE),
    **_of("retention", page=_PAGE, line=_PAGE),
    **_of("branding", style=_PAGE, icon=_PAGE, logo=_PAGE),
    **_of("embed", page=_PAGE, script=_PAGE),
    **_of("frame", form=_PAGE, subscribe=_SIGN_UP, check_inbox=_PAGE, again=_SIGN_UP, code=_PAGE),
    **_of("frame", look=_PAGE, correct=_PAGE),
    **_of("form_data", form=_PAGE),
    **_of("api", challenge=_PAGE, subscribe=_BY_PROGRAM, confirm=_PAGE, again=_SIGN_UP),
    **_of("lists", lists=_READ, subscriptions_of=_READ, export=Route(Who.TOKEN, "export", trace=Trace.ITS_OWN)),
    **_of("changes", since=_READ),
    **_of("events", take=_EVENTS),
    **_of("openapi", openapi=_PAGE),
    **_of("health", healthz=_PAGE, readyz=_PAGE, metrics=Route(Who.LOOPBACK_OR_TOKEN, "read")),  # details: as metrics
    **_of("mailbox", index=_TRYOUT, show=_TRYOUT, body=_TRYOUT, source=_TRYOUT, move_clock=_TRYOUT),
    **_of("tour", show=_TRYOUT, go_on=_TRYOUT),
    **_of("previews", index=_TRYOUT, show=_TRYOUT, body=_TRYOUT, source=_TRYOUT),
    **_of("desk", sign_in_page=_DESK, from_here=_COMING_IN, come_in_page=_DESK, come_in=_DESK),
    **_of("desk", forgotten_page=_DESK, forgotten=_DESK),
    **_of("desk", sign_in=_COMING_IN, second_step=_COMING_IN, passkey_in=_COMING_IN),
    **_of("desk", all_accounts=_SERVICE, invite=_SERVICE, change_account=_SERVICE),
    **_of("desk", all_tokens=_SERVICE, create_token=_SERVICE, revoke_token=_SERVICE),
    **_of("desk", all_lists=_NUMBERS, edit_list=_NUMBERS, wordings=_NUMBERS, list_site=_NUMBERS, preview_look=_NUMBERS),
    **_of("desk", policies=_NUMBERS, record=_PEOPLE, note_record=_PEOPLE),
    **_of("desk", preview_list=_LOOK, save_list=_TEXTS, allow_site=_TEXTS),
    **_of("desk", create_list=_LISTS, keep_list=_LISTS, go_live_page=_LISTS, go_live=_SERVICE),
    **_of("desk", health=_NUMBERS, numbers=_NUMBERS, choose_numbers=_NUMBERS),
    **_of("desk", check_health=replace(_LISTS, limits=_UPLOADS, of_all=True), send_to_me=_LISTS),
    **_of("desk", no_numbers_page=_DESK, no_numbers=_DESK),
    **_of("desk", exports=_EXPORT, export=replace(_EXPORT, is_grave=True)),
    **_of("desk", imports_page=replace(_IMPORT, limits=_UPLOADS), import_page=_IMPORT, import_columns=_COLUMNS),
    **_of("desk", import_do=replace(_IMPORT, is_grave=True), import_report=replace(_IMPORT, is_grave=True)),
    **_of("desk", back=replace(_ACTS, limits=_UPLOADS)),
    **_of("desk", prove=_FIRST),
    **_of("desk", second_factor_page=_FIRST, set_up=_FIRST, my_passkeys=_FIRST, add_passkey=_FIRST),
    **_of("desk", renew_recovery=_MY_KEYS, end_passkey=_MY_KEYS, password_page=_MY_KEYS, change_password=_MY_KEYS),
    **_of("desk", end_session=_MINE, take_away=_MINE),  # the latter asks for the password itself, and always
    **_of("desk", audit_page=_AUDIT, find_audited=_AUDIT),
    **_of("desk", people=_PEOPLE, find_people=_PEOPLE, person=_PEOPLE, unsubscribe_person=_ACTS),
    **_of("desk", correct_many=replace(_ACTS, limits=Limits(at_most=512 * 1024, seconds=30.0))),
    **_of("desk", sign_up_person=_ACTS, send_again_person=_ACTS, cancel_person=_ACTS, correct_person=_ACTS),
    **_of("desk", abuse_page=_OF_ALL, look_at_attack=_OF_ALL, cancel_attack=replace(_OF_ALL, is_grave=True)),
    **_of("desk", requests_page=_PRIVACY, enter_request=_PRIVACY, show_request=_PRIVACY, settle_request=_PRIVACY),
    **_of("desk", answers_person=_PRIVACY, restrict_person=_PRIVACY, unrestrict_person=_PRIVACY),
    **_of("desk", proof_person=_PRIVACY, take_proof=replace(_PRIVACY, is_grave=True)),
    **_of("desk", all_holds=_OF_ALL, **dict.fromkeys(("hold_address", "hold_person", "release_person"), _HOLD)),
    **_of("desk", mail_to_read=_MAIL, read_letter=_MAIL, close_letter=_MAIL, unsubscribe_letter=_MAIL),
    **_of("desk", suppress_person=_OF_ALL, lift_person=_OF_ALL, erase_person=replace(_OF_ALL, is_grave=True)),
    **_of("desk", start=_NUMBERS, account=_MINE, sign_out_everywhere=_MINE, sign_out=replace(_MINE, is_first=True)),
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
        if not shows_credentials(headers):
            return USUAL
        try:
            return route(adapter.match(path, method)[0]).limits
        except HTTPException:
            return USUAL

    return limits
