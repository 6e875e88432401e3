"""What is asked: pages for people, JSON for programs, both over the same actions."""

from flask import Flask

from subscriptions.settings import Settings
from subscriptions.web import (
    api,
    cors,
    embed,
    form_data,
    frame,
    headers,
    health,
    language,
    mailbox,
    openapi,
    pages,
    problems,
    several,
    tokens,
    voluntary,
)


def init_app(app: Flask, settings: Settings) -> None:
    app.url_map.strict_slashes = False  # RFC 8058 forbids redirects, and nobody needs them elsewhere
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["voluntary"] = voluntary.shown
    language.init_app(app)
    headers.init_app(app, settings)
    problems.init_app(app)
    cors.init_app(app)
    for room in (pages, several, frame, tokens, api, form_data, embed, openapi, health):
        app.register_blueprint(room.pages)
    if settings.mail.transport == "mailbox":
        mailbox.init_app(app)
    pages.init_app(app, settings)
