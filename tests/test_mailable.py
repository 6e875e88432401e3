"""Who is answered like everybody and never mailed (B-10), and what is only flagged (B-14, B-15)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from subscriptions import disposable
from subscriptions.domain.address import parse
from subscriptions.domain.mailable import Mailable, is_within
from subscriptions.parts import mailable
from subscriptions.settings import Abuse, ListSettings, Mail, Settings
from subscriptions.store import counters
from subscriptions.store.engine import reading
from subscriptions.store.models import Address, Evidence, Owed, Registration
from tests.builders import ANNE, World
from tests.conftest import ManualClock
from tests.support.cases import BY_DAY_ON_SQLITE, each

pytestmark = BY_DAY_ON_SQLITE

PEOPLE = "anne info sales support newsletter bouncer roots requester www2 securities an.owner".split()
ROLES = """
    abuse postmaster hostmaster webmaster noc security mailer-daemon no-reply noreply root www owner-list list-request
    list-owner list-bounces bounce bounces bounce-123 bounces+anne=example.org postmaster+x ABUSE
""".split()


@each("local", ROLES)
def test_an_address_of_a_role_is_not_mailed_unless_allowed(local: str) -> None:
    address = parse(f"{local}@example.com")
    assert "role" in (Mailable().why_not(address) or "")
    assert Mailable(roles=True).why_not(address) is None


@each("local", PEOPLE)
def test_an_address_of_a_person_or_a_small_office_is_mailed(local: str) -> None:
    assert Mailable().why_not(parse(f"{local}@example.com")) is None


@pytest.mark.parametrize(
    ("domain", "within"),
    [("bad.example", True), ("MAIL.bad.example", True), ("a.b.bad.example", True), ("notbad.example", False),
     ("bad.example.com", False), ("example", False)],
)  # fmt: skip
def test_a_domain_stands_for_all_below_it_and_no_other(domain: str, within: bool) -> None:
    some = frozenset({"bad.example"})
    address = parse(f"anne@{domain}") if "." in domain else None
    assert is_within(domain.lower(), some) is within
    if address:
        assert (Mailable(blocked=some).why_not(address) is None) is not within
        assert (Mailable(allowed=some).why_not(address) is None) is within


def test_a_domain_in_another_script_is_compared_as_machines_do() -> None:
    rules = Mailable(blocked=frozenset({"xn--bcher-kva.example"}))
    assert rules.why_not(parse("anne@bücher.example"))


def test_our_own_addresses_are_never_mailed_even_where_roles_are() -> None:
    settings = Settings(
        mail=Mail(sender="Us <letters@us.example>", envelope_sender="bounced@us.example"),
        lists=(ListSettings(privacy_contact="privacy@us.example"), ListSettings(slug="b", privacy_contact="by letter")),
        abuse=Abuse(role_addresses=True),
    )
    rules = mailable(settings, settings.lists)
    ours = [rules.why_not(parse(f"{name}@us.example")) is not None for name in ("letters", "Bounced", "privacy", "we")]
    assert ours == [True, True, True, False]


def test_the_operator_is_told_why_an_address_is_never_mailed() -> None:
    rules = Mailable(frozenset({"bad.example"}), frozenset({"example.org"}), frozenset({"us@example.org"}))
    asked = ("us@example.org", "root@example.org", "anne@bad.example", "anne@example.net", ANNE)
    assert [rules.why_not(parse(address)) for address in asked] == [
        "it belongs to this service",
        "it is the address of a role (see role_addresses in [abuse])",
        "its domain is one of blocked_domains in [abuse]",
        "its domain is not one of allowed_domains in [abuse]",
        None,
    ]


Strict = Callable[..., World]


@pytest.fixture
def strict(make_app: Callable[..., Flask], clock: ManualClock) -> Iterator[Strict]:
    """Makes a service with these settings of [abuse]."""
    with ExitStack() as stack:

        def make(**abuse: Any) -> World:
            app = make_app(abuse=Abuse(hints=False, **abuse))
            stack.enter_context(app.app_context())
            return World(app, app.test_client(), clock)

        yield make


@pytest.mark.parametrize(
    ("address", "abuse"),
    [("postmaster@example.org", {}), ("newsletter@example.org", {"role_addresses": True}),
     ("anne@sub.bad.example", {"blocked_domains": ("bad.example",)}),
     ("anne@example.net", {"allowed_domains": ("example.org",)})],
)  # fmt: skip
def test_it_is_answered_like_all_others_and_nothing_is_stored(strict: Strict, address: str, abuse: Any) -> None:
    world = strict(**abuse)
    ours, others = world.sign_up(address), world.sign_up(ANNE)
    same = [(one.status_code, sorted(one.headers.keys()), len(one.data)) for one in (ours, others)]
    assert same[0] == same[1] and ours.json is not None and ours.json["status"] == "pending_confirmation"
    assert [one.address for one in world.registrations()] == [ANNE]
    assert [world.count(table) for table in (Address, Evidence, Owed)] == [1, 1, 1]
    with reading() as session:
        assert counters.totals(session)["not_mailable"] == 1


def test_the_form_leads_to_the_same_page_for_a_role(strict: Strict) -> None:
    world = strict()
    places = [world.sign_up_by_form(one).headers["Location"].partition("?")[0] for one in ("root@example.org", ANNE)]
    assert places[0] == places[1]
    assert world.count(Registration) == 1


def test_a_role_that_is_allowed_gets_its_mail(strict: Strict) -> None:
    world = strict(role_addresses=True)
    world.sign_up("postmaster@example.com")
    assert len(world.mails("postmaster@example.com")) == 1


def test_a_throw_away_address_works_and_is_flagged(strict: Strict) -> None:
    world = strict()
    for address in (ANNE, "canary@mail.mailinator.com"):
        assert world.sign_up(address).status_code == 202
    flags = [one.details.get("flags") for one in world.evidence()]
    assert flags == [None, ["disposable"]]
    assert len(world.mails("canary@mail.mailinator.com")) == 1
    with reading() as session:
        assert counters.totals(session)["disposable"] == 1


def test_explain_says_why_an_address_is_never_mailed(strict: Strict) -> None:
    world = strict(blocked_domains=("bad.example",))
    told = {one: world.app.test_cli_runner().invoke(args=["explain", one]).output
            for one in ("postmaster@example.org", "anne@bad.example", ANNE)}  # fmt: skip
    assert (
        "This address is never sent email, though the form answers it like any other: it is the address of a role (see "
        "role_addresses in" in told["postmaster@example.org"]
    )
    assert "blocked_domains" in told["anne@bad.example"] and "never sent email" not in told[ANNE]


def test_explain_names_a_throw_away_domain(strict: Strict) -> None:
    world = strict()
    world.sign_up("anne@mailinator.com")
    assert "throw-away" in world.app.test_cli_runner().invoke(args=["explain", "anne@mailinator.com"]).output


@pytest.mark.parametrize("address", ["a+b@example.org", "a.b.c@gmail.com", "a+b@gmail.com"])
def test_tags_and_dots_are_kept_and_mailed(strict: Strict, address: str) -> None:
    world = strict()
    world.sign_up(address)
    assert [str(mail["To"]) for mail in world.mails()] == [address]


def test_the_list_that_comes_with_the_program_names_its_source_and_holds_no_great_provider() -> None:
    text = Path(disposable.__file__).with_name(disposable.FILE).read_text("utf-8")
    listed = disposable.domains(text.splitlines())
    assert "Source: disposable-email-domains" in text and "MIT" in text
    assert len(listed) > 5_000 and not listed & {"gmail.com", "gmx.de", "web.de", "outlook.com", "example.org"}


def test_the_list_is_renewed_from_a_file_and_kept(strict: Strict, tmp_path: Path) -> None:
    world = strict()
    file = tmp_path / "newer"
    file.write_text("# newer\nThrowaway.example\n\n")
    told = world.app.test_cli_runner().invoke(args=["abuse", "refresh", str(file)])
    assert told.exit_code == 0 and "1 domain" in told.output
    assert disposable.disposable_domains(world.parts.settings.data_dir) == {"throwaway.example"}


def test_a_file_that_is_no_list_changes_nothing(strict: Strict, tmp_path: Path) -> None:
    world = strict()
    file = tmp_path / "wrong"
    file.write_text("good.example\n<html>\n")
    told = world.app.test_cli_runner().invoke(args=["abuse", "refresh", str(file)])
    assert told.exit_code == 2 and "line 2" in told.output
    assert "mailinator.com" in disposable.disposable_domains(world.parts.settings.data_dir)
