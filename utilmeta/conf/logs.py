"""What a service writes to its log, and how."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from utilmeta.conf.base import Config, ServiceInfo
from utilmeta.utils.exceptions import ConfigError

# Lines that servers of frameworks write for each request, which ours takes the place of.
_SERVERS_OWN = ("uvicorn.access", "sanic.access", "django.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging(Config):
    """Structured logs: one line for each request, and the request's id on every line within it.

    It makes Django's `LOGGING` of a service that has none: everything goes to standard error. A
    project's own `LOGGING` is left as it is; the lines then go to its handlers.

    Args:
        format: `json` for a JSON object a line, `text` for lines to read; None takes `json` in
            production and `text` otherwise.
        level: the least level that is written.
        loggers: levels of single loggers by name, such as `{'django.db.backends': 'DEBUG'}`.
        access: whether each answered request is one line of the logger `utilmeta.access`; the
            servers' own lines are then switched off.
        slow_request: seconds from which a request is a warning of the logger `utilmeta.slow`; None
            for never.
        slow_sql: seconds from which a statement is one, without its parameters; None for never.
        request_id_header: header that a request's id is taken from and answered in.
    """

    yielded: ClassVar[frozenset[str]] = frozenset({"LOGGING"})

    format: Literal["json", "text"] | None = None
    level: str = "INFO"
    loggers: Mapping[str, str] = field(default_factory=dict)
    access: bool = True
    slow_request: int | float | None = None
    slow_sql: int | float | None = None
    request_id_header: str = "X-Request-ID"

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, a level is unknown, a number of seconds is
                negative, or the header's name holds other characters than letters, digits and `-`.
        """
        Config.__post_init__(self)
        known = logging.getLevelNamesMapping()
        for where, level in (("level", self.level), *self.loggers.items()):
            if level not in known:
                option = "level" if where == "level" else f"loggers[{where!r}]"
                raise ConfigError(
                    f"Logging({option}={level!r}): expected DEBUG, INFO, WARNING, ERROR or CRITICAL"
                )
        for name in ("slow_request", "slow_sql"):
            seconds = getattr(self, name)
            if seconds is not None and not seconds >= 0:
                raise ConfigError(f"Logging({name}={seconds}): expected seconds, or None")
        name = self.request_id_header
        if not (name.isascii() and name.replace("-", "").isalnum()):
            raise ConfigError(
                f"Logging(request_id_header={name!r}): expected the name of a header, such as "
                "'X-Request-ID'"
            )

    def settings_for(self, service: ServiceInfo) -> dict[str, object]:
        """Return `LOGGING` for a service."""
        chosen = self.format or ("json" if service.production else "text")
        formatter = "JSONLines" if chosen == "json" else "ReadableLines"
        handled: dict[str, object] = {"handlers": [], "propagate": True}
        loggers: dict[str, dict[str, object]] = {
            # What is at fault in production is mailed to ADMINS, as by Django's own default.
            "django": {**handled, "handlers": ["mail_admins"]},
            # A level, as Django may configure logging once more, which lifts what is switched off.
            "django.server": {**handled, **({"level": "CRITICAL"} if self.access else {})},
            # Those of servers that have configured themselves before the service is imported.
            "uvicorn": dict(handled),
            "uvicorn.error": dict(handled),
            # Its own way is a line for each request.
            "werkzeug": {"level": "WARNING"} if self.access else {},
        }
        for name, level in self.loggers.items():
            loggers.setdefault(name, {})["level"] = level
        return {
            "LOGGING": {
                "version": 1,
                "disable_existing_loggers": False,
                "filters": {
                    "require_debug_false": {"()": "django.utils.log.RequireDebugFalse"},
                },
                "formatters": {"utilmeta": {"()": f"utilmeta.utils.logs.{formatter}"}},
                "handlers": {
                    "utilmeta": {"class": "logging.StreamHandler", "formatter": "utilmeta"},
                    "mail_admins": {
                        "level": "ERROR",
                        "filters": ["require_debug_false"],
                        "class": "django.utils.log.AdminEmailHandler",
                    },
                },
                "root": {"handlers": ["utilmeta"], "level": self.level},
                "loggers": loggers,
            }
        }

    def setup(self, service: ServiceInfo) -> None:
        """Switch off the lines that servers write for each request."""
        if self.access:
            for name in _SERVERS_OWN:
                logging.getLogger(name).disabled = True
