"""Fixtures of the Conduit tests."""

from collections.abc import Callable

import pytest
from django.core.management import call_command

Fill = Callable[..., None]


@pytest.fixture
def fill(db: None) -> Fill:
    """Return a function that fills the Conduit tables with small sample data."""

    def run(**counts: int) -> None:
        sizes = {
            "users": 6,
            "articles": 12,
            "tags": 8,
            "comments": 40,
            "favorites": 20,
            "follows": 10,
        }
        call_command("conduit_sample_data", verbosity=0, **{**sizes, **counts})

    return run


@pytest.fixture
def sample(fill: Fill) -> None:
    """Fill the Conduit tables: 6 users, 12 articles, 8 tags, 40 comments, ..."""
    fill()
