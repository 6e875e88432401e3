"""The two tables of product.md, as grids: every state and event is in the table or refused."""

import re
from datetime import timedelta
from itertools import product

import pytest

from subscriptions.domain import lifecycle
from subscriptions.domain.lifecycle import (
    REGISTRATION,
    SUBSCRIPTION,
    Event,
    Refused,
    Registration,
    State,
    Step,
    Subscription,
    Suppress,
    registration_step,
    subscription_step,
)
from subscriptions.domain.mail_kinds import MailKind, SuppressionScope
from tests.support.cases import each
from tests.support.diagram import mermaid

R, S, E = Registration, Subscription, Event
MONTH = timedelta(days=30)
NEVER, NO_MAIL = Suppress(SuppressionScope.CONFIRMATIONS), Suppress(SuppressionScope.ALL)
NOT_HERE = Suppress(SuppressionScope.CONFIRMATIONS, this_list=True, life=MONTH)
NOT_NOW = Suppress(SuppressionScope.CONFIRMATIONS, life=MONTH)

# product.md once more, in its own order: what the code must say, not what it says
SIGN_UPS: dict[tuple[State | None, Event], Step] = {
    (None, E.SUBSCRIBE): Step(R.PENDING, MailKind.CONFIRM),
    (None, E.INVITE): Step(R.PENDING, MailKind.INVITE),
    (R.PENDING, E.UNDO): Step(R.ERASED),
    (R.PENDING, E.CONFIRM): Step(R.CONFIRMED, MailKind.WELCOME),
    (R.CONFIRMED, E.CONFIRM): Step(R.CONFIRMED),
    (R.PENDING, E.BLOCK): Step(R.BLOCKED),
    (R.PENDING, E.DISOWN): Step(R.ERASED, None, NEVER),
    (R.BLOCKED, E.DISOWN): Step(R.ERASED, None, NEVER),
    (R.PENDING, E.PURGE): Step(R.PURGED),
    (R.BLOCKED, E.PURGE): Step(R.PURGED),
    (R.CONFIRMED, E.DISOWN): Step(R.CONFIRMED, None, NEVER, ends_subscription=True),
    (R.PENDING, E.ONE_CLICK): Step(R.ERASED, None, NOT_HERE),
    (R.BLOCKED, E.ONE_CLICK): Step(R.ERASED, None, NOT_HERE),
    (R.CONFIRMED, E.ONE_CLICK): Step(R.CONFIRMED, None, NOT_HERE, ends_subscription=True),
    (R.PENDING, E.COMPLAIN): Step(R.ERASED, None, NOT_HERE),
    (R.BLOCKED, E.COMPLAIN): Step(R.ERASED, None, NOT_HERE),
    (R.CONFIRMED, E.COMPLAIN): Step(R.CONFIRMED, None, NOT_HERE, ends_subscription=True),
    (R.PENDING, E.BOUNCE): Step(R.PENDING),
    (R.BLOCKED, E.BOUNCE): Step(R.BLOCKED),
    (R.CONFIRMED, E.BOUNCE): Step(R.CONFIRMED),
    (R.PENDING, E.CANCEL): Step(R.ERASED, None, NOT_NOW),
    (R.BLOCKED, E.CANCEL): Step(R.ERASED, None, NOT_NOW),
    (R.PENDING, E.RETRACT): Step(R.ERASED),
    (R.PENDING, E.ERASE): Step(R.ERASED, MailKind.ERASED),
    (R.BLOCKED, E.ERASE): Step(R.ERASED, MailKind.ERASED),
}
SUBSCRIPTIONS: dict[tuple[State | None, Event], Step] = {
    (None, E.CONFIRM): Step(S.CONFIRMED),
    (None, E.IMPORT): Step(S.CONFIRMED),
    (S.CONFIRMED, E.IMPORT): Step(S.CONFIRMED),
    (S.CONFIRMED, E.UNDO): Step(S.PURGED),
    (S.CONFIRMED, E.CONFIRM): Step(S.CONFIRMED),
    (S.CONFIRMED, E.SUBSCRIBE): Step(S.CONFIRMED, MailKind.ALREADY_SUBSCRIBED),
    (S.CONFIRMED, E.UNSUBSCRIBE): Step(S.UNSUBSCRIBED),
    (S.CONFIRMED, E.MOVE): Step(S.UNSUBSCRIBED, MailKind.ADDRESS_CHANGED),
    (S.CONFIRMED, E.OBJECT): Step(S.UNSUBSCRIBED, None, NO_MAIL),
    (S.CONFIRMED, E.COMPLAIN): Step(S.UNSUBSCRIBED, None, NOT_HERE),
    (S.CONFIRMED, E.BOUNCE): Step(S.BOUNCED),
    (S.CONFIRMED, E.ERASE): Step(S.ERASED, MailKind.ERASED),
    (S.UNSUBSCRIBED, E.SUBSCRIBE): Step(S.UNSUBSCRIBED),
    (S.UNSUBSCRIBED, E.CONFIRM): Step(S.UNSUBSCRIBED),
    (S.UNSUBSCRIBED, E.UNSUBSCRIBE): Step(S.UNSUBSCRIBED),
    (S.UNSUBSCRIBED, E.OBJECT): Step(S.UNSUBSCRIBED, None, NO_MAIL),
    (S.UNSUBSCRIBED, E.COMPLAIN): Step(S.UNSUBSCRIBED, None, NOT_HERE),
    (S.UNSUBSCRIBED, E.BOUNCE): Step(S.UNSUBSCRIBED),
    (S.UNSUBSCRIBED, E.PURGE): Step(S.PURGED),
    (S.UNSUBSCRIBED, E.ERASE): Step(S.ERASED, MailKind.ERASED),
    (S.BOUNCED, E.SUBSCRIBE): Step(S.BOUNCED),
    (S.BOUNCED, E.CONFIRM): Step(S.BOUNCED),
    (S.BOUNCED, E.UNSUBSCRIBE): Step(S.BOUNCED),
    (S.BOUNCED, E.OBJECT): Step(S.BOUNCED, None, NO_MAIL),
    (S.BOUNCED, E.COMPLAIN): Step(S.BOUNCED, None, NOT_HERE),
    (S.BOUNCED, E.BOUNCE): Step(S.BOUNCED),
    (S.BOUNCED, E.PURGE): Step(S.PURGED),
    (S.BOUNCED, E.ERASE): Step(S.ERASED, MailKind.ERASED),
    (S.ERASED, E.PURGE): Step(S.PURGED),
}
BOTH = [*REGISTRATION.items(), *SUBSCRIPTION.items()]
GONE = {id(one) for one in (R.ERASED, R.PURGED, S.ERASED, S.PURGED)}  # equal texts, so by identity


@each(("state", "event"), list(product([None, *R], E)))
def test_what_may_happen_to_a_registration_is_what_the_table_says(state: Registration | None, event: Event) -> None:
    if (state, event) in SIGN_UPS:
        assert registration_step(state, event) == SIGN_UPS[state, event]
    else:
        with pytest.raises(Refused, match=rf"^{state or 'nothing'} cannot {event}$"):
            registration_step(state, event)


@each(("state", "event"), list(product([None, *S], E)))
def test_what_may_happen_to_a_subscription_is_what_the_table_says(state: Subscription | None, event: Event) -> None:
    if (state, event) in SUBSCRIPTIONS:
        assert subscription_step(state, event) == SUBSCRIPTIONS[state, event]
    else:
        with pytest.raises(Refused, match=rf"^{state or 'nothing'} cannot {event}$"):
            subscription_step(state, event)


@pytest.mark.parametrize(("table", "kind"), [(REGISTRATION, Registration), (SUBSCRIPTION, Subscription)])
def test_no_step_leads_from_one_table_into_the_other(table: lifecycle.Table, kind: type) -> None:
    assert all(isinstance(state, kind | None) and isinstance(step.to, kind) for (state, _), step in table.items())


def test_only_a_confirmation_or_its_imported_evidence_leads_to_confirmed() -> None:
    arriving = {(repr(s), e) for (s, e), step in BOTH if step.to.value == "confirmed" and s is not step.to}
    assert arriving == {(repr(R.PENDING), E.CONFIRM), (repr(None), E.CONFIRM), (repr(None), E.IMPORT)}


def test_a_blocked_registration_can_only_go() -> None:
    leading = {step.to for (state, _), step in REGISTRATION.items() if state is R.BLOCKED}
    assert leading == {R.BLOCKED, R.ERASED, R.PURGED}


def test_nothing_comes_back_from_what_is_gone() -> None:
    leaving = [step.to for (state, _), step in BOTH if id(state) in GONE]
    assert leaving and all(id(to) in GONE for to in leaving)


def test_an_ended_subscription_never_opens_again() -> None:
    after = {step.to for (state, _), step in SUBSCRIPTION.items() if state in (S.UNSUBSCRIBED, S.BOUNCED)}
    assert S.CONFIRMED not in after


def test_a_second_press_owes_no_second_mail() -> None:
    assert registration_step(R.CONFIRMED, E.CONFIRM) == Step(R.CONFIRMED)
    assert subscription_step(S.CONFIRMED, E.CONFIRM) == Step(S.CONFIRMED)


@pytest.mark.parametrize(
    ("mail", "owed_by"),
    [
        (MailKind.CONFIRM, {E.SUBSCRIBE}),
        (MailKind.WELCOME, {E.CONFIRM}),
        (MailKind.ALREADY_SUBSCRIBED, {E.SUBSCRIBE}),
        (MailKind.ERASED, {E.ERASE}),
        (MailKind.TEST, set()),
    ],
)
def test_each_mail_is_owed_by_one_event_alone(mail: MailKind, owed_by: set[Event]) -> None:
    assert {event for (_, event), step in BOTH if step.mail is mail} == owed_by


def test_who_says_no_is_never_owed_a_mail_for_it() -> None:
    no = {E.DISOWN, E.ONE_CLICK, E.UNSUBSCRIBE, E.OBJECT, E.COMPLAIN, E.BOUNCE}
    assert all(step.mail is None for (_, event), step in BOTH if event in no)


def test_a_step_that_protects_the_address_owes_it_no_mail() -> None:
    assert all(step.mail is None for _, step in BOTH if step.suppress)


def test_leaving_one_list_protects_from_nothing_else() -> None:
    assert all(step.suppress is None for (_, event), step in BOTH if event is E.UNSUBSCRIBE)


def test_the_diagram_draws_every_step_that_changes_a_state() -> None:
    drawn = mermaid()
    for (state, event), step in BOTH:
        if state is not step.to:
            arrow = f"{node(state)} --> {node(step.to)}: "
            labels = [line.partition(arrow)[2].split(", ") for line in drawn.splitlines() if arrow in line]
            assert any(event.value in one for one in labels), (state, event)


def test_the_diagram_draws_nothing_else() -> None:
    changing = {(id(state), id(step.to)) for (state, _), step in BOTH if state is not step.to}
    assert mermaid().count(" --> ") == len(changing)
    arrow = r"        \S+ --> \S+: [^\n]+\n"
    drawn = (
        rf"stateDiagram-v2\n    state registration {{\n({arrow})+    }}\n    state subscription {{\n({arrow})+    }}"
    )
    assert re.fullmatch(drawn, mermaid())


def node(state: State | None) -> str:
    outside = {id(None), id(R.ERASED), id(R.PURGED), id(S.PURGED)}
    return "[*]" if id(state) in outside else f"{type(state).__name__.lower()}_{state}"
