"""`Logging`: what it makes of Django's setting, and what it refuses."""

import logging
import logging.config
from pathlib import Path
from typing import Any

import pytest

from utilmeta.conf import Logging
from utilmeta.core.setup.compose import compose
from utilmeta.core.setup.merge import EXISTING, merge
from utilmeta.core.setup.options import DjangoSettings
from utilmeta.utils.exceptions import ConfigError


class Info:
    name = module_name = "shop"
    asynchronous = False
    project_dir = Path()

    def __init__(self, *, production: bool = False) -> None:
        self.production = production


def setting(config: Logging, *, production: bool) -> Any:
    return config.settings_for(Info(production=production))["LOGGING"]


@pytest.mark.parametrize(
    ("given", "production", "formatter"),
    [(None, True, "JSONLines"), (None, False, "ReadableLines"), ("text", True, "ReadableLines")],
)
def test_form_is_decided_by_production(given: Any, production: bool, formatter: str):
    made = setting(Logging(format=given), production=production)
    assert made["formatters"]["utilmeta"]["()"] == f"utilmeta.utils.logs.{formatter}"


def test_levels_are_those_given():
    made = setting(Logging(level="WARNING", loggers={"shop": "DEBUG"}), production=True)
    assert made["root"] == {"handlers": ["utilmeta"], "level": "WARNING"}
    assert made["loggers"]["shop"] == {"level": "DEBUG"}


def test_the_line_of_djangos_server_stays_away_when_logging_is_configured_once_more():
    assert (
        "level" not in setting(Logging(access=False), production=False)["loggers"]["django.server"]
    )
    made = setting(Logging(), production=False)["loggers"]["django.server"]
    own = logging.getLogger("django.server")
    before = own.level, own.disabled, list(own.handlers), own.propagate
    try:
        # As `get_wsgi_application()` does, after the service has switched it off.
        Logging().setup(Info())
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "loggers": {own.name: made}}
        )
        assert not own.isEnabledFor(logging.ERROR)
    finally:
        own.setLevel(before[0])
        own.disabled, own.handlers, own.propagate = before[1:]


@pytest.mark.parametrize(
    "options",
    [
        {"level": "LOUD"},
        {"loggers": {"a": "info"}},
        {"slow_request": -1},
        {"slow_sql": float("nan")},
        {"request_id_header": "X Request"},
        {"request_id_header": ""},
        {"request_id_header": "X-É"},
        {"format": "xml"},
    ],
)
def test_wrong_options_are_refused(options: Any):
    with pytest.raises(ConfigError, match=r"Logging\("):
        Logging(**options)


def test_a_projects_own_setting_wins():
    composed = compose(Info(), [Logging()])
    own = {"version": 1}
    merged = merge({"LOGGING": own, "SECRET_KEY": "x"}, composed, production=False)
    assert "LOGGING" not in merged.values
    assert merged.origins["LOGGING"] == ("keep", EXISTING)
    fresh = merge(None, composed, production=False)
    assert fresh.origins["LOGGING"] == ("keep", "Logging")
    assert "LOGGING" not in merge(None, compose(Info(), []), production=False).values


@pytest.mark.parametrize("turned", [False, True])
def test_the_setting_that_a_user_has_written_wins(turned: bool):
    own = {"version": 1}
    configs = [Logging(), DjangoSettings(extra={"LOGGING": own})]
    composed = compose(Info(), configs[::-1] if turned else configs)
    assert composed.values["LOGGING"] is own
    assert composed.origins["LOGGING"] == "DjangoSettings"
