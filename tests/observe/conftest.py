"""Logging is put back after each test, and what a test writes is kept."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = (
    "",
    "django",
    "django.server",
    "django.request",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "sanic.access",
    "tornado.access",
    "werkzeug",
    "utilmeta.access",
    "utilmeta.slow",
    "some.library",
    "httpx",
    "asyncio",
)


@pytest.fixture(autouse=True)
def logging_is_put_back(django_db_blocker: Any) -> Iterator[None]:
    """Restore loggers, and let the engine look at connections that other tests have left open."""
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [
        (item, item.level, list(item.handlers), item.propagate, item.disabled) for item in loggers
    ]
    with django_db_blocker.unblock():
        yield
    for item, level, handlers, propagate, disabled in before:
        item.level, item.handlers, item.propagate = level, handlers, propagate
        item.disabled = disabled
        logging.getLogger(item.name).setLevel(level)


class Written:
    """What has been logged, in the form that the service has chosen."""

    def __init__(self) -> None:
        self._stream = io.StringIO()

    def catch(self) -> None:
        """Take what the handler of the service writes."""
        for handler in logging.getLogger().handlers:
            if handler.name == "utilmeta":
                handler.setStream(self._stream)

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()

    def lines(self, logger: str | None = None) -> list[dict[str, Any]]:
        """Return the JSON lines, those of a logger."""
        found = [json.loads(line) for line in self.text.splitlines()]
        # Sanic prints what it runs on when the first request starts it.
        others = [line for line in found if line["logger"] != "sanic.root"]
        return [line for line in others if logger in (None, line["logger"])]

    def clear(self) -> None:
        """Forget it."""
        self._stream.truncate(0)
        self._stream.seek(0)


@pytest.fixture
def written() -> Written:
    return Written()
