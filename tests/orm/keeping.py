"""Reads with and without kept statements, and which texts are made meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.models.sql.compiler import SQLCompiler

from utilmeta.core.orm.read.selection import Selection


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Make each statement anew in the block, as before there were kept ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Selection, "_keep", lambda *_: None)
        yield


@contextmanager
def compiled() -> Iterator[list[Any]]:
    """Collect the compilers that make a text."""
    made: list[Any] = []
    original = SQLCompiler.as_sql

    def as_sql(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(self)
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLCompiler, "as_sql", as_sql)
        yield made
