"""What is asked: pages for people, JSON for programs, both over the same actions."""

from flask import Flask

from subscriptions.settings import Settings
from subscriptions.web import (
    api,
    asking,
    confirmations,
    cors,
    embed,
    form_data,
    frame,
    guard,
    headers,
    health,
    inbox,
    language,
    look,
    mailbox,
    openapi,
    pages,
    preferences,
    problems,
    several,
    static_files,
    tokens,
    voluntary,
)


def init_app(app: Flask, settings: Settings) -> None:
    app.url_map.strict_slashes = False  # RFC 8058 forbids redirects, and nobody needs them elsewhere
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["voluntary"] = voluntary.shown
    static_files.init_app(app)
    language.init_app(app)
    headers.init_app(app, settings)
    problems.init_app(app)
    cors.init_app(app)
    rooms = (pages, several, inbox, frame, tokens, preferences, api, confirmations, form_data, embed, openapi, health)
    for room in rooms:
        app.register_blueprint(room.pages)
    look.init_app(app, settings)
    if settings.mail.transport == "mailbox":
        mailbox.init_app(app)
    asking.init_app(app)
    guard.init_app(app)
    pages.init_app(app, settings)
