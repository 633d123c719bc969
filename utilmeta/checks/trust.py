"""Secrets, hosts, proxies and cookies: whom a service in production believes."""

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from utilmeta.checks.framework import runs_middleware
from utilmeta.conf import Preference
from utilmeta.core.auth.session.plugin import SessionPlugin

# Networks no larger than these are somebody's own, where they are not private.
_OWN_PREFIX = {4: 24, 6: 64}


def find_trust_faults(service: Any) -> Iterator[CheckMessage]:
    """Yield what is wrong with the secret key, hosts, proxies, https and cookies.

    Args:
        service: the service; it is set up.
    """
    yield from _secret_key(service)
    yield from _hosts(service)
    yield from _proxies(service)
    yield from _https(service)
    yield from _cookies(service)


def _origin(service: Any, name: str) -> str:
    known = service.settings.origins if service.settings else {}
    return f"set by {known[name][1]}" if name in known else "set by the settings module"


def _secret_key(service: Any) -> Iterator[CheckMessage]:
    names = {service.module_name, getattr(settings, "SETTINGS_MODULE", None)}
    files = [
        getattr(sys.modules.get(name or ""), "__file__", None)
        for name in sorted(filter(None, names))
    ]
    key = str(settings.SECRET_KEY)
    holding = [file for file in files if file and key in Path(file).read_text(encoding="utf-8")]
    if holding:
        yield Warning(
            f"SECRET_KEY ({_origin(service, 'SECRET_KEY')}) is written in {Path(holding[0]).name}: "
            "whoever reads the source can sign sessions and tokens.",
            hint="DjangoSettings(secret_key=env.SECRET_KEY), with env of a class of Env's.",
            id="utilmeta.W104",
        )


def _hosts(service: Any) -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Warning(
            f"ALLOWED_HOSTS ({_origin(service, 'ALLOWED_HOSTS')}) holds '*': requests for any host "
            "are answered, and links are made with the host that a client chose.",
            hint="DjangoSettings(allowed_hosts=['api.example.com']), or UtilMeta(origin=...).",
            id="utilmeta.W105",
        )


def _is_wide(item: str) -> bool:
    network = ipaddress.ip_network(item, strict=False)
    if network.prefixlen == 0:
        return True
    return not network.is_private and network.prefixlen < _OWN_PREFIX[network.version]


def _proxies(service: Any) -> Iterator[CheckMessage]:
    preference = service.get_config(Preference) or Preference()
    wide = [item for item in preference.trusted_proxies if _is_wide(item)]
    if wide:
        yield Warning(
            f"Preference(trusted_proxies=...) believes {', '.join(wide)}: strangers there can say "
            "which address, scheme and host they have.",
            hint="Preference(trusted_proxies=['127.0.0.1']), or what addresses the proxies have.",
            id="utilmeta.W106",
        )
    is_https = (service.origin or "").startswith("https:")
    if is_https and not preference.trusted_proxies:
        yield Warning(
            f"The origin {service.origin} is https, but no proxy is believed, so that requests "
            "from one on a TCP port look like http from its address.",
            hint="Preference(trusted_proxies=['127.0.0.1']), or what address the proxy has.",
            id="utilmeta.W107",
        )


def _https(service: Any) -> Iterator[CheckMessage]:
    if not (service.origin or "").startswith("https:"):
        yield Warning(
            f"Service {service.name!r} has no https origin (UtilMeta(origin={service.origin!r})).",
            hint="UtilMeta(origin='https://api.example.com'): its host is then allowed.",
            id="utilmeta.W108",
        )
    # Where Django's middleware is run, Django's own security.W004 asks.
    elif not runs_middleware(service) and not settings.SECURE_HSTS_SECONDS:
        yield Warning(
            f"Nothing says that browsers shall come by https only, and {service.backend_name} runs "
            "no middleware of Django's that could.",
            hint="Have the proxy send Strict-Transport-Security, and say so with "
            "DjangoSettings(extra={'SECURE_HSTS_SECONDS': 31536000}).",
            id="utilmeta.W109",
        )


def _cookies(service: Any) -> Iterator[CheckMessage]:
    found = {
        plugin.config
        for operation in service.engine.operations
        for plugin in operation.plugins
        if isinstance(plugin, SessionPlugin)
    }
    for config in sorted(found, key=lambda item: item.cookie.name):
        cookie = config.cookie
        wrong = [
            text
            for text, is_wrong in (
                ("secure=False", cookie.is_secure is False),
                ("http_only=False", not cookie.http_only),
                ("same_site='None'", cookie.same_site == "None"),
            )
            if is_wrong
        ]
        if wrong:
            yield Warning(
                f"The session cookie {cookie.name!r} of {type(config).__name__} has "
                f"{', '.join(wrong)}.",
                hint="Leave them out of Cookie(...); for Django's cookie, set SESSION_COOKIE_... "
                "with DjangoSettings(extra={...}).",
                id="utilmeta.W110",
            )
