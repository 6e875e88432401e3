"""Invite: whom an import has no proof of is asked once, at a set pace, and nobody more once too many come back."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from subscriptions.actions.imports import BATCH, against, at
from subscriptions.actions.subscribe import SignUp, take
from subscriptions.domain.imports import Stage, is_too_many, share
from subscriptions.domain.lifecycle import Event, registration_step
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import Policy
from subscriptions.store import addresses, audit, imports, jobs, journal, outbox
from subscriptions.store.audit import Act
from subscriptions.store.engine import repeated, transaction
from subscriptions.store.models import Import, Invitation


@repeated
def invite(id_: int, sign_up: Callable[[Invitation], SignUp | None], now: datetime, policy: Policy) -> int:
    """The next share of the day; how many. Too many that came back halt it, and a queue that pauses is waited for.

    `sign_up`: what an invitation is as one; none: the address is never mailed any more. Of those whose mailbox may have
    no email now the next are asked first: one mailbox in many spellings keeps nobody waiting.
    """
    with transaction() as session:
        row, deliver = imports.find(session, id_), jobs.find(session, "deliver")
        if row is None or row.stage is not Stage.INVITING or (deliver and deliver.pause_until):
            return 0
        if is_too_many(*imports.came_back(session, id_, row.counted_from or now)):
            row.stage, row.ended_at = Stage.HALTED, now
            return 0
        of_day, of_hour = (imports.invited_since(session, id_, now - timedelta(hours=hours)) for hours in (24, 1))
        waiting = imports.waiting(session, id_, min(share(row.per_day, of_day, of_hour), BATCH), now)
        asked = sum(_ask(session, row, one, sign_up(one), now, policy) for one in waiting)
        if not imports.waiting_number(session, id_):
            row.stage, row.ended_at = Stage.DONE, now
        return asked


def _ask(session: Session, row: Import, one: Invitation, sign_up: SignUp | None, now: datetime, policy: Policy) -> bool:
    """Like a sign-up of their own but for its mail, within the budget of the mailbox; whether they were asked.

    Whoever has signed up, left or said no meanwhile is not; whoever has had too many mails is asked later.
    """
    if sign_up and not against(session, row.list_id, {sign_up.key: sign_up.mailbox}, now):
        opens = addresses.budget(session, sign_up.key, sign_up.mailbox, policy).opens(now)
        if opens > now:
            one.ask_at = opens
            return False
        take(session, [sign_up], now, policy)
        if mail := registration_step(None, Event.INVITE).mail:
            outbox.owe_instead(session, sign_up.ref, MailKind.CONFIRM, mail)
        one.ref = sign_up.ref
        journal.note(session, "invite", key=one.key, list_id=one.list_id)
    one.invited_at, one.address, one.name, one.fields, one.locale = now, None, None, None, None
    return one.ref is not None


@repeated
def resume(id_: int, act: Act) -> None:
    """After a halt; what has come back by then counts no more. Raises Refused."""
    with transaction() as session:
        row = at(session, id_, Stage.HALTED)
        row.stage, row.counted_from, row.ended_at = Stage.INVITING, act.at, None
        audit.write(session, act)
