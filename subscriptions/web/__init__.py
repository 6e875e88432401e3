"""What is asked: pages for people, JSON for programs, both over the same actions."""

from pathlib import Path

from flask import Flask

from subscriptions.settings import Settings
from subscriptions.web.admin import desk
from subscriptions.web.api import auth, changes, events, health, lists, openapi, subscriptions
from subscriptions.web.embed import form_data, frame, owner_page
from subscriptions.web.http import adapter, branding, cors, headers, language, problems, static_files, urls
from subscriptions.web.pages import confirm, inbox, leave, one_more_step, retention, signup, versions
from subscriptions.web.pages.preferences import routes
from subscriptions.web.tryout import mailbox

STATIC = Path(__file__).with_name("static")
_ROOMS = (
    signup, inbox, frame, confirm, leave, routes, subscriptions, lists, changes, events, form_data, owner_page,
    openapi, health, retention, versions,
)  # fmt: skip


def init_app(app: Flask, settings: Settings) -> None:
    app.request_class = adapter.OurRequest
    app.url_map.strict_slashes = False  # RFC 8058 forbids redirects, and nobody needs them elsewhere
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    static_files.init_app(app)
    language.init_app(app)
    headers.init_app(app, settings)
    problems.init_app(app)
    urls.init_app(app)
    cors.init_app(app)
    for room in _ROOMS:
        app.register_blueprint(room.pages)
    branding.init_app(app, settings)
    if settings.mail.transport == "mailbox":
        mailbox.init_app(app)
    if settings.admin.enabled:
        desk.init_app(app)
    auth.init_app(app)
    one_more_step.init_app(app)
    signup.init_app(app, settings)
