"""What tests of the rooms beside the core share."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def connections_may_be_tidied(django_db_blocker: Any) -> Iterator[None]:
    """Let the engine look at connections that other tests have left open."""
    with django_db_blocker.unblock():
        yield
