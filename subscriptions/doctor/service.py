"""The service itself: what its configuration, its texts, its visitors and its jobs tell."""

from collections.abc import Iterator
from datetime import UTC, datetime

from subscriptions import clock
from subscriptions.doctor.finding import Asked, Finding, found
from subscriptions.domain.mail_kinds import MailKind
from subscriptions.domain.policy import BACKED_UP_EVERY
from subscriptions.jobs import problems
from subscriptions.jobs.jobs import late_after
from subscriptions.mail.preview import Previews
from subscriptions.store import evidence, meta, retention
from subscriptions.store.engine import reading

ENOUGH = 5  # sign-ups, to say something of all
_EVER = datetime.min.replace(tzinfo=UTC)


def settings(asked: Asked) -> Iterator[Finding]:
    yield from (found("setting", said=said) for said in asked.parts.warnings)


def texts(asked: Asked) -> Iterator[Finding]:
    """The confirmation email of each list, in its own language; `yestwice mail lint` looks at all there are."""
    parts = asked.parts
    previews = Previews(parts.sender.composer, parts.settings, parts.catalogue, parts.clock.now())
    for row in parts.catalogue.configured:
        mail = previews.one(MailKind.CONFIRM.value, row, parts.languages.best(None, (), row.locale))
        if mail.problems:
            copy = f"yestwice mail lint --list {row.slug}"
            yield found("text", copy, kind=mail.kind, tag=mail.tag, list=row.slug, said=mail.problems[0])


def proxy(asked: Asked) -> Iterator[Finding]:
    """By what the newest sign-ups say of who named their address."""
    with reading() as session:
        sources = evidence.newest_sources(session)
    hops = asked.parts.settings.server.trusted_proxies
    if not hops and sources[:1] == ["unnamed proxy"]:
        yield found("proxy-forgotten", "trusted_proxies = 1")
    if hops and len(sources) >= ENOUGH and {*sources} == {"peer"}:
        yield found("proxy-fewer", f"trusted_proxies = {hops - 1}", num=hops)


def jobs(asked: Asked) -> Iterator[Finding]:
    """As if the service had always run: this process has only just begun."""
    with reading() as session:
        said = problems.found(session, asked.parts, asked.parts.clock.now(), late_after(), _EVER)
    if said:
        yield found("job", "yestwice jobs show", said="; ".join(said))


def deletions(asked: Asked) -> Iterator[Finding]:
    over = late_after()["purge"]
    by, real_by = (now() - over for now in (asked.parts.clock.now, asked.parts.clock.real_now))
    with reading() as session:
        late = sum(retention.counts(session, by, real_by, asked.parts.policy).values())
    if late:
        yield found("overdue", "yestwice jobs run purge", num=late, time=clock.text(by))


def backup(asked: Asked) -> Iterator[Finding]:
    with reading() as session:
        at = meta.last_backup(session)
    command = "yestwice backup yestwice.backup"
    if at is None:
        yield found("backup-never", command)
    elif at < asked.parts.clock.now() - BACKED_UP_EVERY:
        yield found("backup-old", command, time=clock.text(at))
    else:
        yield found("backup", time=clock.text(at))
