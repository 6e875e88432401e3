"""From what a form or a program said to a sign-up that is handed to the batch: built here, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace

from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from subscriptions.actions import enter_code
from subscriptions.actions.confirm import ConfirmMethod
from subscriptions.actions.enter_code import Entered
from subscriptions.actions.gate import Limited, Need, Pass, ProofNeeded, Refusal
from subscriptions.actions.subscribe import Origin, SignUp
from subscriptions.domain import webmail
from subscriptions.domain.address import Address, parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mailable import is_within
from subscriptions.links import Visit
from subscriptions.parts import parts
from subscriptions.store import registrations
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration
from subscriptions.web.http import open_tab, urls
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.problems import answer
from subscriptions.web.intake import guard, proof_of_work
from subscriptions.web.intake.on_behalf import Vouched
from subscriptions.web.intake.parse import choice

NO_PROOF = Pass(Need.NEVER)  # of who is known by a token, a mailbox or a handle; what they may cause is the budget's
NOBODY = Address("", "", "")


def take(asked: SignUp, channel: Channel, brings: Pass | None = None) -> BaseResponse:
    """Subscribe and lead to the inbox; the same for everyone."""
    handle = new_visit(asked, channel, None, brings=brings)
    if isinstance(handle, Limited):
        return too_many(handle)
    if isinstance(handle, ProofNeeded):
        return guard.page(asked, guard.refused(asked, brings))
    return _after_sign_up(asked, handle, by_form=channel is Channel.FORM)


def new_visit(
    asked: SignUp, channel: Channel, actor: str | None, spoken_for: Vouched | None = None, brings: Pass | None = None
) -> str | Refusal:
    """A sign-up of a new visit; its handle, after the commit."""
    links = parts().links
    handle = links.new_handle(webmail.number_of(asked.address.folded.rpartition("@")[2]))
    return submit(asked, links.ref(handle), channel, actor, spoken_for, brings) or handle


def submit(
    asked: SignUp,
    ref: bytes,
    channel: Channel,
    actor: str | None = None,
    spoken_for: Vouched | None = None,
    brings: Pass | None = None,
) -> Refusal | None:
    """Hand a sign-up to the batch that is being gathered; returns after the commit."""
    joined = parts()
    sign_up = complete(asked, ref, channel, actor, spoken_for, brings)
    refused = joined.sign_ups.submit(sign_up)
    if isinstance(refused, ProofNeeded):
        proof_of_work.remember(sign_up.origin, refused)
    joined.wake_sender()
    if not refused and not actor and sign_up.lists:  # a client may well bring hundreds at once
        joined.watch.note([row.id for row in sign_up.rows], sign_up.address.ascii_domain)
    return refused


def complete(
    asked: SignUp,
    ref: bytes,
    channel: Channel,
    actor: str | None = None,
    spoken_for: Vouched | None = None,
    brings: Pass | None = None,
) -> SignUp:
    """With whose it is, where it came from, and what its address alone tells."""
    joined, address, where = parts(), asked.address, origin(request)
    if channel is Channel.BUTTON or actor:  # pressing a button of a mail is never limited; a client vouches
        where = replace(where, network=None)
    if spoken_for and spoken_for.ip:
        where = Origin(spoken_for.ip, "client", None)
    return replace(
        asked,
        ref=ref,
        key=joined.links.key(address.folded) if asked.lists else joined.links.try_key(ref),
        channel=channel,
        actor=actor,
        origin=where,
        brings=NO_PROOF if actor else brings or Pass(),
        mailable=not asked.lists or joined.mailable.why_not(address) is None,
        flags=("disposable",) if is_within(address.ascii_domain, joined.disposable) else (),
        vouched=spoken_for.details if spoken_for else None,
    )


def _after_sign_up(asked: SignUp, handle: str, *, by_form: bool) -> BaseResponse:
    """To the page that the form names, or the list; else, and in a frame, to ours. Nothing about anybody is in it."""
    row, *others = asked.rows
    away = urls.return_url(asked.rows) or row.thank_you_url if by_form and not urls.is_framed() else ""
    also = ",".join(one.slug for one in others) or None
    return redirect(away or urls.here("check_inbox", row, r=handle, also=also, **open_tab.stamp()), 303)


def too_many(limited: Limited) -> Response:
    wait = max(1, round((limited.until - parts().clock.now()).total_seconds()))
    return answer(429, headers={"Retry-After": str(wait)})


# Once more, and the code: for who has a handle


def enter(handle: Visit | None, plain: str, method: ConfirmMethod) -> Entered:
    """A code that was typed or sent; what is no visit of ours is answered as one whose tries are used up."""
    if handle is None:
        return Entered(None, 0)
    joined = parts()
    entered = enter_code.enter(handle, plain, joined.links, joined.clock.now(), joined.policy, origin(request), method)
    if entered.status and entered.status.welcomed:
        joined.wake_sender()
    return entered


def ask_again(earlier: Visit) -> Refusal | None:
    """A fresh sign-up of the same person for the same lists; the same work where there is none to repeat."""
    with reading() as session:
        found = registrations.behind(session, earlier.refs)
    ref, asked = _next_ref(earlier, found), asked_like(found)
    if asked and ref:
        return submit(asked, ref, Channel.FORM, brings=NO_PROOF)
    return submit(SignUp(NOBODY, (), None, ""), earlier.refs[0], Channel.FORM, brings=NO_PROOF)


def _next_ref(earlier: Visit, found: Sequence[Registration]) -> bytes | None:
    """Of the mail after the newest; None when the visit has had all of its mails."""
    if not found:
        return None
    later = earlier.refs[earlier.refs.index(found[0].ref) + 1 :]
    return later[0] if later else None


def asked_like(rows: Sequence[Registration], *, fresh_wording: bool = False) -> SignUp | None:
    """A sign-up of the same person for the same lists, as far as they take any; None: of nothing that is left."""
    catalogue = parts().catalogue
    rows = [row for row in rows if row.address and catalogue.lists[row.list_id].position is not None]
    if not rows:
        return None
    choices = []
    for row in rows:
        of = catalogue.lists[row.list_id]
        choices.append(choice(of, of.wording_id if fresh_wording else row.wording_id, catalogue))
    first = rows[0]
    return SignUp(parse(first.address or ""), tuple(choices), first.name, first.locale, first.fields)
