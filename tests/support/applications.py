"""Applications by their settings: made once for each worker, given to one test at a time, and without a memory."""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from app import create_app
from subscriptions import languages, parts
from subscriptions.clock import Clock
from subscriptions.mail import phrases
from subscriptions.mail.compiled_mails import Letter
from subscriptions.settings import Settings
from subscriptions.store.models import db

# What an application may have that a test can change, and `_forget` makes anew; and what nothing is written to.
MADE_ANEW = {parts.NAME}
UNCHANGING = {"babel", "mail", "migrate", "sqlalchemy"}
Key = tuple[Settings, Path]


class Compiled(BytecodeCache):
    """Templates as code, for all applications of the tests: to compile them is a quarter of the time of a test."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()
_compile_builder = Rule._compile_builder


def _built_when_needed(self: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    """What writes the URLs of a route; a test writes few, and to compile that for all is half of making an app."""

    @cache
    def made() -> Callable[..., Any]:
        return _compile_builder(self, append_unknown)

    return lambda rule, *values, **more: made()(rule, *values, **more)


Rule._compile_builder = _built_when_needed  # type: ignore[method-assign]


class Letters(dict[tuple[str, ...], Letter]):
    """Compiled letters by what they say: each test has rows of its own, which say the same as those of the last."""

    def of(self, compile_: Callable[..., Letter]) -> Callable[..., Letter]:
        def compiled(*about: Any) -> Letter:
            if (said := _said(*about)) not in self:
                self[said] = compile_(*about)
            return self[said]

        return compiled


def _said(mail: str, entries: Any, language: str) -> tuple[str, ...]:
    """The mail and its language, and the columns of the lists and wordings in place of their rows."""
    columns = [[[getattr(row, column.key) for column in row.__table__.columns] if row else None for row in entry]
               for entry in entries]  # fmt: skip
    return mail, language, repr(columns)


class Applications:
    """Those that no test has at the moment. `at_most` different ones are kept, the latest."""

    def __init__(self, at_most: int = 60) -> None:
        self._at_most = at_most
        self._idle: dict[Key, list[Flask]] = defaultdict(list)
        self._letters: dict[Key, Letters] = defaultdict(Letters)

    def take(self, settings: Settings, clock: Clock) -> Flask:
        """One with these settings, as if it had just been made."""
        for known in (phrases._said, phrases.greeting):
            known.cache_clear()  # they know one folder of translations, as a process does
        key = _key(settings)
        if idle := self._idle.get(key):
            app = idle.pop()
            _forget(app, settings, clock)
        else:
            app = self.new(settings, clock)
        composer = parts.current_parts(app).sender.composer
        composer._compiled = self._letters[key].of(composer._compile)  # type: ignore[assignment]
        return app

    @staticmethod
    def new(settings: Settings, clock: Clock) -> Flask:
        """One that no other test has had, for settings that name files of the test."""
        app = create_app(settings, clock)
        app.jinja_env.bytecode_cache = COMPILED
        return app

    def give_back(self, app: Flask) -> None:
        """For another test with the same settings."""
        with app.app_context():
            db.engine.dispose()
        its = parts.current_parts(app)
        key = its.settings, its.languages.folder  # what it was made of: a test may have put its own folder back by now
        self._idle[key] = [*self._idle.pop(key, []), app]
        while len(self._idle) > self._at_most:
            oldest = next(iter(self._idle))
            del self._idle[oldest], self._letters[oldest]


def _key(settings: Settings) -> Key:
    return settings, languages.FOLDER


def _forget(app: Flask, settings: Settings, clock: Clock) -> None:
    """Everything that an application learns while it runs; what it is made of stays.

    Its lists stay where the database has those of that version, which a process looks at before anything else.
    """
    assert set(app.extensions) <= MADE_ANEW | UNCHANGING, "say of the new extension what a test can change in it"
    known = parts.current_parts(app)._catalogue
    parts.init_app(app, settings, clock)
    parts.current_parts(app)._catalogue = known
