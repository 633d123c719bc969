"""What `service.run()` does before the framework's own server takes over."""

import errno
import os
import platform
import socket
import sys
from typing import Any, Protocol

from utilmeta._version import __version__
from utilmeta.core.server.contract import Adapter, RunOptions
from utilmeta.core.server.identity import check_listen
from utilmeta.core.server.lifecycle import Lifecycle
from utilmeta.supervisor.variables import DESCRIPTOR
from utilmeta.utils.exceptions import ConfigError


class Servable(Protocol):
    """What is known of a service that is to be served."""

    title: str
    version: str
    host: str
    port: int
    scheme: str
    route: str
    production: bool
    asynchronous: bool
    auto_reload: bool
    lifecycle: Lifecycle

    def expect_threads(self) -> None:
        """Prepare for a server that makes a thread for each request."""

    @property
    def adapter(self) -> Adapter:
        """Our code for the framework."""

    def application(self) -> Any:
        """Return the application."""


# Environment variables by which reloading servers tell their child from themselves.
_RELOADED = ("RUN_MAIN", "WERKZEUG_RUN_MAIN")


def is_reloader_child() -> bool:
    """Return whether this process was started by a reloading server to do the serving."""
    return any(os.environ.get(name) == "true" for name in _RELOADED)


def check_port(host: str, port: int) -> None:
    """Raise when the service cannot listen.

    Raises:
        ConfigError: the port is taken, needs rights this process lacks, or the host is not one
            of this machine's.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as exc:
        raise ConfigError(f"UtilMeta(host={host!r}): no such host: {exc}") from exc
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as exc:
            told = {
                errno.EADDRINUSE: "another process listens there; stop it, or choose another port",
                errno.EACCES: "this user may not listen there; choose a port from 1024",
                errno.EADDRNOTAVAIL: "this machine has no such address",
            }.get(exc.errno or 0, exc.strerror)
            raise ConfigError(f"cannot listen on {host}:{port}: {told}") from exc


def print_banner(name: str, version: str, backend: str, mode: str, url: str) -> None:
    """Print one line that names the service, what serves it and where."""
    sys.stdout.write(
        f"{name} {version} | utilmeta {__version__} on {backend}, Python "
        f"{platform.python_version()} | {mode} | {url}\n"
    )
    sys.stdout.flush()


def way_of(adapter: Adapter) -> str:
    """Return which way requests of the API go, and why, for people."""
    reason = adapter.entrance()
    name = adapter.name
    return f"before {name}'s handler" if reason is None else f"through {name}: {reason}"


def url_of(scheme: str, host: str, port: int, route: str) -> str:
    """Return the URL a service answers at, for people."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"{scheme}://{shown}:{port}{route or '/'}"


def serve(service: Servable, options: dict[str, Any]) -> None:
    """Serve until the process is told to end; what `service.run` does.

    Args:
        service: what to serve.
        options: `host`, `port` and `auto_reload` in place of the service's; the rest is handed to
            the framework's runner.

    Raises:
        ConfigError: the service cannot listen, or cannot be set up.
    """
    host, port = options.pop("host", service.host), options.pop("port", service.port)
    auto_reload = bool(options.pop("auto_reload", service.auto_reload))
    check_listen(host, port, service.scheme)
    app = service.application()
    if not service.asynchronous:
        service.expect_threads()
    adapter = service.adapter
    child = auto_reload and is_reloader_child()
    listening = _inherited()
    if listening is not None and not service.asynchronous:
        raise ConfigError(
            f"service.run(): the development server of {adapter.name} cannot serve under a "
            "supervisor; serve application() with gunicorn, as 'manage.py deploy' writes it"
        )
    if not child and listening is None:
        check_port(host, port)
    if not adapter.native_lifespan and child == auto_reload:
        service.lifecycle.start_now()

    def banner() -> None:
        if not child:
            print_banner(
                service.title,
                service.version,
                f"{adapter.name} {adapter.version()}",
                f"{'production' if service.production else 'development'}, "
                f"{'async' if service.asynchronous else 'sync'}, {way_of(adapter)}",
                url_of(service.scheme, host, port, service.route),
            )

    adapter.run(
        RunOptions(
            app=app,
            host=host,
            port=port,
            auto_reload=auto_reload,
            banner=banner,
            listening=listening,
            extra=options,
        )
    )


def _inherited() -> socket.socket | None:
    """Return the socket on which a supervisor lets this process listen."""
    number = os.environ.get(DESCRIPTOR)
    return None if number is None else socket.socket(fileno=int(number))
