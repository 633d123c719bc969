"""What all tests of the contract need of the process they share."""

from collections.abc import Iterator
from typing import Any

import pytest
from sanic import Sanic

# Lets several Sanic applications start in one process, which only tests do.
Sanic.test_mode = True


@pytest.fixture(autouse=True)
def connections_may_be_tidied(django_db_blocker: Any) -> Iterator[None]:
    """Let the engine look at connections that other tests have left open."""
    with django_db_blocker.unblock():
        yield
