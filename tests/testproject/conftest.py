"""The RealWorld API on every back end."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from testproject.conduit.api import RootAPI
from testproject.conduit.users import users
from tests.testing.services import BACKENDS, service_on
from tests.testproject.realworld import Visitor
from utilmeta.core.auth.throttle import Throttle
from utilmeta.testing import Client

# Their answers do not depend on the database, so that on others than SQLite two of them do.
IS_SQLITE = os.environ.get("TESTPROJECT_DATABASE_URL", "sqlite").startswith("sqlite")
TRANSCRIPTS: dict[str, list[Any]] = {}


@pytest.fixture(params=BACKENDS if IS_SQLITE else ("django", "starlette"))
def visitor(
    request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Visitor]:
    """Somebody without a token; at the end all back ends have to have said the same."""
    # Who may log in is counted in the process.
    monkeypatch.setattr(users, "throttle", Throttle("10/minute"))
    settings = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with (
        service_on(request.param, RootAPI, route="/api", settings=settings) as service,
        Client(service) as client,
    ):
        found = Visitor(client)
        yield found
    name = request.node.name.replace(request.param, "")
    assert found.transcript == TRANSCRIPTS.setdefault(name, found.transcript)
