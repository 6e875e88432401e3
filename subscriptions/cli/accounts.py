"""Commands for the accounts of the desk."""

from collections.abc import Sequence
from urllib.parse import quote

import click

from subscriptions.actions import accounts
from subscriptions.cli import acts, address_of, as_json, print_rows, ready, the_list
from subscriptions.cli.menu import Group
from subscriptions.domain.address import Address
from subscriptions.domain.roles import Role
from subscriptions.parts import current_parts
from subscriptions.store.accounts import all_of
from subscriptions.store.engine import reading
from subscriptions.store.models import Account

group = Group("accounts", help="Who comes in at /admin, and what they may do there.")
_ROLE = click.Choice([*map(str, Role)])
_ABOUT_ROLES = "viewer: numbers; manager: people, texts, exports; privacy: proofs, erasures, the audit; owner: all."


def _link(secret: str) -> str:
    return f"{current_parts().settings.server.base_url.rstrip('/')}/admin/come-in/{quote(secret)}"


def _mailed() -> str:
    is_tried = current_parts().settings.mail.transport == "mailbox"
    return "The same link is in the mailbox of the try-out." if is_tried else "The same link goes by email."


@group.command("invite")
@click.argument("address", type=address_of)
@click.option("--role", type=_ROLE, required=True, help=_ABOUT_ROLES)
@click.option("--list", "slugs", metavar="SLUG", multiple=True, help="Only this list, or these; else every list.")
@ready
def invite(address: Address, role: str, slugs: Sequence[str]) -> None:
    """Invite somebody to the desk: a link that works once and for an hour, mailed, and alone on the last line."""
    lists = [the_list(slug).id for slug in slugs] or None
    if lists and role == Role.OWNER:
        raise click.BadParameter("An owner has every list.", param_hint="--list")
    act, mails = acts.act(role=role, lists=[*slugs] or None), current_parts().links.desk
    now = current_parts().clock.now()
    secret = accounts.invite(address.folded, Role(role), lists, now, act, mails)
    click.echo(f"It works once, for an hour. Whoever opens it first has the account. {_mailed()}", err=True)
    click.echo(_link(secret))


@group.command("reset")
@click.argument("address", type=address_of)
@click.option("--second-factor", is_flag=True, help="Also take away the second factor, passkeys and the old password.")
@ready
def reset(address: Address, *, second_factor: bool) -> None:
    """A link by which somebody chooses another password, mailed, and alone on the last line; for an hour."""
    act, parts = acts.act(second_factor=second_factor or None), current_parts()
    now, mails = parts.clock.now(), parts.links.desk
    secret = accounts.forgotten(address.folded, now, act, mails, second_factor=second_factor)
    kept = "Second factor, passkeys and the old password are gone." if second_factor else "A second factor stays."
    click.echo(f"{kept} {_mailed()}", err=True)
    click.echo(_link(secret))


@group.command("role")
@click.argument("address", type=address_of)
@click.argument("role", type=_ROLE)
@ready
def change_role(address: Address, role: str) -> None:
    """Give an account another role; it has to sign in again."""
    act = acts.act(role=role)
    accounts.change(address.folded, current_parts().clock.now(), act, role=Role(role))


@group.command("disable")
@click.argument("address", type=address_of)
@ready
def disable(address: Address) -> None:
    """End an account at once, with all its sessions; a new invitation opens it again."""
    act = acts.act()
    accounts.change(address.folded, current_parts().clock.now(), act, is_disabled=True)


@group.command("show")
@as_json
@ready
def show(*, as_json: bool) -> None:
    """The accounts: role, lists, when they were last here."""
    lists = current_parts().catalogue.lists
    with reading() as session:
        rows = [
            {"email": one.email, "role": str(one.role), "state": _state(one),
             "lists": None if one.lists is None else [lists[id_].slug for id_ in one.lists if id_ in lists],
             "made_at": one.made_at, "signed_in_at": one.signed_in_at}
            for one in all_of(session)
        ]  # fmt: skip
    columns = {"email": ("account", ""), "role": ("role", ""), "lists": ("lists", "every list"), "state": ("state", ""),
               "made_at": ("made", ""), "signed_in_at": ("signed in", "never")}  # fmt: skip
    print_rows(rows, columns, as_json=as_json)


def _state(account: Account) -> str:
    return "disabled" if account.disabled_at else "open" if account.password else "invited"
