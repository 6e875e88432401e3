"""What people do in a history behind their own mailbox: ask for the link, move, and be left alone."""

from dataclasses import dataclass, field

from werkzeug.test import TestResponse

from tests.builders import ANNE, BART, owed
from tests.history import History
from tests.history_model import Asked, Silence
from tests.preferences import ask
from tests.support.inbox import Mail

OTHER = {ANNE: BART, BART: ANNE}


@dataclass
class OwnHistory(History):
    """A history in which people open their preferences as well."""

    moves: dict[tuple[bytes, str], str] = field(default_factory=dict)  # by link and list: who comes from where

    def act(self, who: str, act: str, **fields: str) -> TestResponse:
        session = self.world.parts.links.session_token(self.key(who))
        return self.world.post(f"/preferences/my/{act}", data={"session": session, **fields})

    def ask_link(self, who: str) -> None:
        before = {row.id for row in owed()}
        assert ask(self.world, who).status_code == 303
        new = [row for row in owed() if row.id not in before]
        assert not new or not self.never_written_to(who)
        self.caused[who] += [self.now] * len(new)

    def never_written_to(self, who: str) -> bool:
        return any(one.who == who and one.scope == "all" for one in self.silences)

    def move(self, who: str) -> None:
        mine = {slug for name, slug in self.open if name == who}
        known = {one.ref for one in self.world.registrations()}
        answer = self.act(who, "move", email=OTHER[who])
        assert answer.status_code == (200 if mine else 422)
        new = [one for one in self.world.registrations() if one.ref not in known]
        for row in new:
            slug = self.slug_of(row)
            assert slug in mine and (OTHER[who], slug) not in self.open and not self.silent(OTHER[who], slug)
            self.asked.append(Asked(OTHER[who], slug, self.now, row.ref))
            self.moves[row.ref, slug] = who
        told = bool(mine) and not new and self.told_now(OTHER[who])
        self.caused[OTHER[who]] += [self.now] * bool(new or told)

    def told_now(self, who: str) -> bool:
        """Whether somebody was told just now that they are subscribed."""
        return any(one.key == self.key(who) and one.notified_at == self.now for one in self.world.subscriptions())

    def begin(self, one: Asked) -> None:
        super().begin(one)
        old = self.moves.pop((one.ref, one.slug), None)
        if old:
            self.open.pop((old, one.slug), None)

    def never(self, who: str) -> None:
        assert self.act(who, "never-surely").status_code == 200
        self.silences.append(Silence(who, "all"))
        self.end(who)
        self.lose(who, "waiting")

    def lift_own(self, who: str, scope: str) -> None:
        assert self.act(who, "lift", scope=scope).status_code == 200
        self.silences = [one for one in self.silences if (one.who, one.scope) != (who, scope)]

    def leave_all(self, who: str) -> None:
        assert self.act(who, "leave-all").status_code == 200
        self.end(who)

    def lose(self, who: str, *states: str) -> None:
        super().lose(who, *states)
        if "confirmed" in states:  # erased: nobody moves away from there any more
            self.moves = {place: old for place, old in self.moves.items() if old != who}

    def judge(self, mail: Mail) -> None:
        subject = str(mail.message["Subject"])
        if "subscriptions and data" in subject or "address was changed" in subject:
            (who,) = mail.recipients
            assert not self.never_written_to(who)
        else:
            super().judge(mail)
