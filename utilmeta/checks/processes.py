"""What several serving processes need, and do not share."""

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from utilmeta.conf import Deployment
from utilmeta.core.api.plugins.stores import MemoryCounters
from utilmeta.core.auth.guard import Authenticate

# Caches that every process has for itself, or that keep nothing, or that do not count safely.
_UNSHARED = ("locmem", "dummy", "filebased")


def find_process_faults(service: Any) -> Iterator[CheckMessage]:
    """Yield what goes wrong when several processes serve.

    Args:
        service: the service; it is set up.
    """
    if not has_several(service):
        return
    yield from _caches()
    yield from _throttles(service)
    yield from _sqlite()
    yield from _main_guard(service)


def has_several(service: Any) -> bool:
    """Return whether more than one process serves, or may: what is not told is several."""
    workers = (service.get_config(Deployment) or Deployment()).workers
    if workers is not None:
        return bool(workers > 1)
    return os.environ.get("WEB_CONCURRENCY", "").strip() != "1"


def _caches() -> Iterator[CheckMessage]:
    for alias, entry in settings.CACHES.items():
        module = str(entry.get("BACKEND", "")).rpartition(".")[0].rpartition(".")[2]
        if module in _UNSHARED:
            yield Warning(
                f"Cache {alias!r} is of kind {module!r}, which several processes do not share "
                "safely: what one forgets, limits or locks, the others do not.",
                hint=f"CacheConnections({{{alias!r}: RedisCache(...)}}), or Deployment(workers=1).",
                id="utilmeta.W120",
            )


def _throttles(service: Any) -> Iterator[CheckMessage]:
    throttles = [
        plugin.users.throttle
        for operation in service.engine.operations
        for plugin in operation.plugins
        if isinstance(plugin, Authenticate) and plugin.users.throttle is not None
    ]
    if any(isinstance(throttle.counters, MemoryCounters) for throttle in throttles):
        yield Warning(
            "Failed logins are counted in each process alone, so that passwords may be guessed as "
            "many times more often as there are processes.",
            hint="auth.User(throttle_cache='default'), with a RedisCache as that cache.",
            id="utilmeta.W121",
        )


def _sqlite() -> Iterator[CheckMessage]:
    for alias, entry in settings.DATABASES.items():
        if str(entry.get("ENGINE", "")).endswith("sqlite3"):
            yield Warning(
                f"Database {alias!r} is SQLite, which one process at a time can write to; others "
                "wait, and fail with 'database is locked'.",
                hint=f"DatabaseConnections({{{alias!r}: Database.from_url('postgresql://...')}}), "
                "or Deployment(workers=1).",
                id="utilmeta.W122",
            )


def _main_guard(service: Any) -> Iterator[CheckMessage]:
    file = getattr(sys.modules.get(service.module_name), "__file__", None)
    if service.backend_name != "sanic" or file is None:
        return
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    guards = [item for item in tree.body if isinstance(item, ast.If) and _is_guard(item)]
    calls = [node for guard in guards for node in ast.walk(guard) if _makes_application(node)]
    others = [item for item in tree.body if item not in guards]
    if calls and not any(_makes_application(node) for item in others for node in ast.walk(item)):
        yield Warning(
            f"{Path(file).name} makes the application below `if __name__ == '__main__'`, where the "
            "processes that Sanic spawns do not find it.",
            hint="Write `app = service.application()` at the module's top level.",
            id="utilmeta.W123",
        )


def _is_guard(node: ast.If) -> bool:
    return "__name__" in ast.dump(node.test) and "__main__" in ast.dump(node.test)


def _makes_application(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "application"
    )
