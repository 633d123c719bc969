"""uvicorn, which runs the ASGI applications of `service.run()`."""

import sys
from pathlib import Path
from typing import Any

from utilmeta.core.server.contract import Frame, RunOptions
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled


def run_uvicorn(app: Any, options: RunOptions, frame: Frame) -> None:
    """Serve an ASGI application until the process is told to end.

    Args:
        app: the application.
        options: how to listen.
        frame: the service's; in the module that made it a reloading server looks for the app.

    Raises:
        DependencyNotInstalled: uvicorn is missing.
        ConfigError: `auto_reload` or several workers, but the application is no module attribute.
    """
    try:
        import uvicorn

        from utilmeta.core.server.gateways.uvicorn_server import (
            OPTIONS,
            STARTUP_FAILURE,
            DrainingServer,
            make_config,
        )
    except ModuleNotFoundError as exc:
        raise DependencyNotInstalled(
            "uvicorn", requirement="uvicorn", purpose="service.run() of an ASGI application"
        ) from exc
    extra: dict[str, Any] = {"host": options.host, "port": options.port, **options.extra}
    if frame.has_access_log:
        extra.setdefault("access_log", False)
    if frame.keeps_logging:
        # Its loggers hand on to those that the service has configured.
        extra.setdefault("log_config", None)
    if options.auto_reload or extra.get("workers", 1) > 1:
        target = import_string(app, frame.module_name)
        options.banner()
        uvicorn.run(target, reload=options.auto_reload, **{**OPTIONS, **extra})
        return
    # A supervisor has waited itself.
    grace = frame.grace if options.listening is None else 0.0
    server = DrainingServer(make_config(app, **extra), drain=frame.hooks.drain, grace=grace)
    options.banner()
    sockets = None if options.listening is None else [options.listening]
    try:
        server.run(sockets)
    except KeyboardInterrupt:
        # It was asked for, and everything has ended.
        return
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def import_string(app: object, module_name: str) -> str:
    """Return `module:attribute` for an application.

    Raises:
        ConfigError: no attribute of the module holds it.
    """
    module = sys.modules[module_name]
    name = module_name
    if module_name in {"__main__", "__mp_main__"}:
        spec = getattr(module, "__spec__", None)
        name = spec.name if spec is not None else Path(str(module.__file__)).stem
    for attribute, value in vars(module).items():
        if value is app:
            return f"{name}:{attribute}"
    raise ConfigError(
        "service.run(): several processes, as for auto_reload, need the application as a module "
        f"attribute; write 'app = service.application()' in module {name!r}"
    )
