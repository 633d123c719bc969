"""What `manage.py check --deploy` finds wrong with a service that is put into production."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from utilmeta.checks.databases import find_database_faults
from utilmeta.checks.processes import find_process_faults
from utilmeta.checks.trust import find_trust_faults
from utilmeta.conf import Preference, current

Look = Callable[[Any], Iterator[CheckMessage]]


def check_deployment(
    app_configs: Sequence[Any] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Return what known-bad deployments have in common, as far as this service has it."""
    service = current.get()
    if service is None:
        return []
    service.setup()
    return [message for look in _LOOKS for message in look(service)]


def _production(service: Any) -> Iterator[CheckMessage]:
    preference = service.get_config(Preference) or Preference()
    if not service.production:
        yield Warning(
            f"Service {service.name!r} is not in production (UtilMeta(production=False)): errors "
            "tell clients what went wrong inside, and cookies go over http.",
            hint="UtilMeta(production=True), or read it from the environment with Env.",
            id="utilmeta.W101",
        )
    if preference.docs:
        yield Warning(
            "The pages of the API's documentation are open to everybody in production "
            "(Preference(docs=True)).",
            hint="Leave docs out, so that they are shown in development only.",
            id="utilmeta.W102",
        )
    if preference.explain_refusals:
        yield Warning(
            "Preference(explain_refusals=True) is for development, and has no effect in "
            "production.",
            hint="Leave explain_refusals out: the log tells which rule refused.",
            id="utilmeta.W103",
        )


def _time(_service: Any) -> Iterator[CheckMessage]:
    if not settings.is_overridden("TIME_ZONE"):
        yield Warning(
            f"Nothing sets TIME_ZONE, so that Django's default {settings.TIME_ZONE!r} is the time "
            "zone of the whole process.",
            hint="service.use(Time(time_zone='UTC')), or set TIME_ZONE in the settings module.",
            id="utilmeta.W130",
        )
    if not settings.USE_TZ:
        yield Warning(
            "USE_TZ is False: times are kept without a zone, and are wrong or doubled when clocks "
            "change.",
            hint="service.use(Time(use_tz=True)), and leave USE_TZ out of the settings module.",
            id="utilmeta.W131",
        )


_LOOKS: tuple[Look, ...] = (
    _production,
    find_trust_faults,
    find_process_faults,
    find_database_faults,
    _time,
)
