"""Clocks that stand still, where what is counted in a time must not meet its end."""

from types import SimpleNamespace

import pytest

# In the middle of a minute, and of an hour.
MOMENT = 1_800_001_830.0


def stop_clock_of_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all attempts to log in be made at one moment, for the length of a test."""
    clock = SimpleNamespace(time=lambda: MOMENT)
    monkeypatch.setattr("utilmeta.core.auth.throttle.time", clock)
