"""The API's description of itself, held against what is served."""

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import given, strategies as st

from subscriptions.web.openapi import DOCUMENT
from tests.builders import NEWS, World, bearer

API = "/api/v1"


def test_x(world: World) -> None:
    world.subscribe()
    for scope in (None, "subscribe", "read", "export", "manage"):
        headers = bearer(scope) if scope else {}
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", world.app)
        for result in schema.get_all_operations():
            operation = result.ok()
            @given(case=operation.as_strategy())
            @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            def run(case):
                case.call_and_validate(headers=headers)
            try: run()
            except BaseException as e:
                print(scope, operation.label, str(e)[:1500])
                for x in getattr(e, "exceptions", []): print("  ->", str(x)[:1500])
    assert 0
