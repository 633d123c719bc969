"""What tests of moved view sets share: both answer in one service, and are compared."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from django.core.management import call_command
from rest_framework.routers import SimpleRouter

from tests.testing.services import service_on
from utilmeta.core import api
from utilmeta.testing import Client

RUFF = Path(sys.executable).with_name("ruff")


def written(*references: str) -> str:
    """Return what the command prints, which is formatted and has no faults."""
    out = StringIO()
    call_command("utilmeta_from_drf", *references, stdout=out)
    text = out.getvalue()
    for command in (["format", "--check", "--diff"], ["check", "--select", "E,F,W,I,UP"]):
        done = subprocess.run(
            [RUFF, *command, "--isolated", "--stdin-filename", "moved.py", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return text


def loaded(text: str, folder: Path, name: str) -> ModuleType:
    """Return the module of a source."""
    path = folder / f"{name}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Both:
    """Sends requests to a view set and to what stands for it.

    Args:
        client: of the service.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, method: str, path: str = "", **options: Any) -> list[httpx.Response]:
        """Return the answers of both, the view set's first."""
        path, mark, query = path.partition("?")
        slash = f"{path}/" if path else ""
        urls = [f"/drf/rows/{slash}{mark}{query}", f"/moved/{path}{mark}{query}"]
        return [self._client.request(method, url, **options) for url in urls]

    def each(self, method: str, *bodies: Any) -> list[httpx.Response]:
        """Return the answers of both to bodies of their own."""
        urls = ("/drf/rows/", "/moved/")
        return [
            self._client.request(method, url, json=body)
            for url, body in zip(urls, bodies, strict=True)
        ]

    def same(self, method: str, path: str = "", **options: Any) -> Any:
        """Return what both answer, which is the same, but for links and keys of new rows."""
        theirs, ours = self.ask(method, path, **options)
        told = (
            f"{method} {path}: {theirs.status_code} {theirs.text}\n{ours.status_code} {ours.text}"
        )
        assert theirs.status_code == ours.status_code, told
        if theirs.status_code < 400 and theirs.content:
            found = [_plain(answer.json()) for answer in (theirs, ours)]
            if method == "POST":
                for item in found:
                    item.pop("id", None)
            assert found[0] == found[1], told
            return theirs.json()
        return theirs.status_code


def _plain(value: Any) -> Any:
    """Return an answer whose links lead to one place."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and value.startswith("http"):
        return value.replace("/drf/rows/", "/moved/")
    return value


@contextmanager
def both(viewset: type[Any], moved: type[api.API], backend: str = "flask") -> Iterator[Both]:
    """Serve a view set and what stands for it."""
    router = SimpleRouter()
    router.register("rows", viewset, basename="row")
    settings = {
        "REST_FRAMEWORK": {
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        }
    }
    with service_on(backend, moved, route="/moved", settings=settings) as service:
        service.mount(router, route="/drf")
        with Client(service) as client:
            yield Both(client)
