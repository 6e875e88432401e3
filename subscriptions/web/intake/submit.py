"""From what a form or a program said to a sign-up that is handed to the batch: built here, and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from subscriptions.actions import confirm as confirming
from subscriptions.actions.confirm import ConfirmMethod, Entered
from subscriptions.actions.gate import Need, Pass, ProofNeeded, Refusal
from subscriptions.actions.subscribe import Origin, SignUp
from subscriptions.domain import codes, mail_domains
from subscriptions.domain.address import Address, parse
from subscriptions.domain.evidence import Channel
from subscriptions.domain.mailable import is_within
from subscriptions.domain.sites import host_of
from subscriptions.links import Visit
from subscriptions.parts import Parts
from subscriptions.store import evidence, registrations
from subscriptions.store.engine import reading
from subscriptions.store.models import Registration
from subscriptions.web.http import urls
from subscriptions.web.http.client_ip import origin
from subscriptions.web.http.incoming import NO_SITE, Incoming
from subscriptions.web.http.problem import Problem
from subscriptions.web.intake.on_behalf import Vouched
from subscriptions.web.intake.parse import NOT_ITS_WORDING, Named, choice

NO_PROOF = Pass(Need.NEVER)  # of who is known by a token, a mailbox or a handle; what they may cause is the budget's
NOBODY = Address("", "", "")


def new_handle(sign_up: SignUp, parts: Parts) -> str:
    """The handle of a new visit."""
    return parts.links.new_handle(mail_domains.number_of(sign_up.address.folded.rpartition("@")[2]))


def submit(sign_up: SignUp, incoming: Incoming, parts: Parts) -> Refusal | None:
    """Hand a complete sign-up to the batch that is being gathered; returns after the commit.

    One that has been there already is not handed over again: what came of it travels with the request.
    """
    if isinstance(incoming.outcome, Exception):
        raise incoming.outcome
    if incoming.outcome is not None:
        return incoming.outcome
    refused = parts.sign_ups.submit(sign_up)
    note(sign_up, refused, parts)
    return refused


def note(sign_up: SignUp, refused: Refusal | None, parts: Parts) -> None:
    """What this process keeps in mind of a sign-up after its commit."""
    if isinstance(refused, ProofNeeded) and sign_up.origin.network and refused.until:
        parts.busy.note(sign_up.origin.network, refused.until)
    if not refused and not sign_up.actor and sign_up.lists:  # a client may well bring hundreds at once
        parts.watch.note([row.id for row in sign_up.rows], sign_up.address.ascii_domain)


def complete(
    sign_up: SignUp, ref: bytes, channel: Channel, incoming: Incoming, parts: Parts, *,
    actor: str | None = None, spoken_for: Vouched | None = None, brings: Pass | None = None,
) -> SignUp:  # fmt: skip
    """With whose it is, where it came from, and what its address alone tells."""
    address, where = sign_up.address, origin(incoming, parts)
    if channel is Channel.BUTTON or actor:  # pressing a button of a mail is never limited; a client vouches
        where = replace(where, network=None)
    if spoken_for and spoken_for.ip:
        where = Origin(spoken_for.ip, "client", None)
    site, is_ours = site_of(incoming, parts, sign_up)
    return sign_up._replace(
        ref=ref,
        key=parts.links.key(address.folded) if sign_up.lists else parts.links.try_key(ref),
        channel=channel,
        actor=actor,
        origin=where,
        brings=NO_PROOF if actor else brings or Pass(),
        mailable=not sign_up.lists or parts.mailable.why_not(address) is None,
        flags=("disposable",) if is_within(address.ascii_domain, parts.disposable) else (),
        vouched=spoken_for.details if spoken_for else None,
        site=site,
        is_our_site=is_ours,
        mailbox=parts.links.mailbox_key(address.folded) if sign_up.lists else None,
    )


def site_of(incoming: Incoming, parts: Parts, sign_up: SignUp) -> tuple[str, bool]:
    """The origin of the page that the form stood on, and whether that is ours.

    A form in a frame comes from us, or hides it; on which site the frame was first shown its address says, signed.
    """
    said, framed = incoming.sent_from, incoming.query and incoming.args.get(urls.STOOD_ON)
    if not said and not framed:
        return "", False
    is_ours = said != "" and (said == parts.origin or host_of(said) == incoming.host)
    if framed and (is_ours or not said):
        known = [origin for row in sign_up.rows for origin in row.origins]
        site = parts.forms.read_site(framed, [*known, parts.origin])
        return (said, is_ours) if site is None else (site or NO_SITE, site == parts.origin)
    return said, is_ours


# Once more, and the code: for who has a handle


def enter(handle: Visit | None, plain: str, method: ConfirmMethod, incoming: Incoming, parts: Parts) -> Entered:
    """A code that was typed or sent; what is no visit of ours is answered as one whose tries are used up."""
    if handle is None:
        return Entered(None, 0)
    where, now = origin(incoming, parts), parts.clock.now()
    entered = confirming.enter(handle, plain, parts.links, now, parts.policy, where, method)
    if entered.status and entered.status.welcomed:
        parts.wake_sender()
    return entered


def ask_again(earlier: Visit, incoming: Incoming, parts: Parts) -> tuple[Refusal | None, Visit]:
    """A fresh sign-up of the same person for the same lists; the same work where there is none to repeat.

    Where no code of the visit can be typed any more, it is a visit of its own.
    """
    with reading() as session:
        found = registrations.behind(session, earlier.refs)
        sites = evidence.sites(session, [row.id for row in found])  # this page is ours, wherever the form stood
    is_over = codes.is_over(earlier.at, parts.clock.now(), parts.policy)
    visit = (is_over and parts.links.visit(parts.links.new_handle(earlier.webmail))) or earlier
    ref, sign_up = _next_ref(visit, found), sign_up_like(found, parts, sites)
    if sign_up is None or ref is None:
        ref, sign_up = visit.refs[0], SignUp(NOBODY, (), None, "")
    completed = complete(sign_up, ref, Channel.FORM, incoming, parts, brings=NO_PROOF)
    return submit(completed, incoming, parts), visit


def _next_ref(visit: Visit, found: Sequence[Registration]) -> bytes | None:
    """Of the mail after the newest; None when the visit has had all of its mails."""
    if not found:
        return None
    newest = found[0].ref
    later = visit.refs[visit.refs.index(newest) + 1 :] if newest in visit.refs else visit.refs
    return later[0] if later else None


def is_behind(asked: SignUp | list[Problem]) -> bool:
    """Whether it names a wording that is not known here: a form of another process may show one of just now."""
    return isinstance(asked, list) and any(one.message == NOT_ITS_WORDING for one in asked)


def sign_up_like(rows: Sequence[Registration], parts: Parts, sites: Mapping[int, str] | None = None) -> SignUp | None:
    """A sign-up of the same person for the same lists, as far as they take any; None: of nothing that is left.

    `sites`: where the form of each stood, whose wording it keeps as well; none: it is for a form of ours, as of today.
    """
    catalogue = parts.catalogue
    known = [(row, catalogue.lists[row.list_id]) for row in rows if row.address]
    open_ = [(row, of) for row, of in known if catalogue.takes(of)]
    if not open_:
        return None
    choices = [choice(Named(of, None if sites is None else row.wording_id), row.locale, catalogue) for row, of in open_]
    if sites is not None:
        choices = [replace(found, vouched=row.vouched, site=sites.get(row.id, ""))
                   for found, (row, _) in zip(choices, open_, strict=True)]  # fmt: skip
    first, _ = open_[0]
    return SignUp(parse(first.address or ""), tuple(choices), first.name, first.locale, first.fields)
