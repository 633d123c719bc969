"""An implementation behind its framework's own server, in one process.

python -m benchmarks.serve tornado benchmarks.implementations.tornado_bare 8000
"""

import importlib
import sys
from typing import Any


def serve_sanic(module: Any, port: int) -> None:
    """Serve with Sanic's server."""
    module.app.run(host="127.0.0.1", port=port, single_process=True, access_log=False, motd=False)


def serve_tornado(module: Any, port: int) -> None:
    """Serve with Tornado's server; a service of ours does so itself."""
    service = getattr(module, "service", None)
    if service is not None:
        service.run()
        return
    import asyncio

    async def run() -> None:
        module.app.listen(port, address="127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(run())


def serve_bolt(name: str, port: int) -> None:
    """Serve with django-bolt's server, as `manage.py runbolt` does."""
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    from django.core.management import execute_from_command_line

    import benchmarks.settings as project

    project.BOLT_API = [f"{name}:api"]  # type: ignore[attr-defined]
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-admin"]
    execute_from_command_line(["manage.py", "runbolt", *options])


if __name__ == "__main__":
    kind, dotted, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "bolt":
        serve_bolt(dotted, number)
    elif kind == "sanic":
        serve_sanic(importlib.import_module(dotted), number)
    else:
        serve_tornado(importlib.import_module(dotted), number)
