"""Time zone of the service and time formats of its answers."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Time(Config):
    """Time zone, and how dates and times are written in answers.

    Args:
        date_format: `strftime` format of dates; None means ISO 8601 (`2026-01-31`).
        time_format: `strftime` format of times; None means ISO 8601 (`12:30:00`).
        datetime_format: `strftime` format of date-times; None means ISO 8601 with offset.
        use_tz: whether date-times are aware; None keeps an existing project's (else True).
        time_zone: IANA name; None keeps an existing project's (else UTC).
    """

    date_format: str | None = None
    time_format: str | None = None
    datetime_format: str | None = None
    use_tz: bool | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, or the time zone does not exist.
        """
        Config.__post_init__(self)
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
                raise ConfigError(
                    f"Time(time_zone={self.time_zone!r}): no such time zone; expected an IANA name "
                    "such as 'UTC' or 'Asia/Shanghai'"
                ) from exc

    @property
    def has_formats(self) -> bool:
        """Whether any format differs from ISO 8601."""
        return any((self.date_format, self.time_format, self.datetime_format))

    def django_settings(self) -> dict[str, object]:
        """Return those of `USE_TZ` and `TIME_ZONE` that the user decided."""
        given = {"USE_TZ": self.use_tz, "TIME_ZONE": self.time_zone}
        return {name: value for name, value in given.items() if value is not None}

    def named_settings(self) -> frozenset[str]:
        """Return the same names: both win over an existing project's."""
        return frozenset(self.django_settings())
