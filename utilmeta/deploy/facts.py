"""What a service is, as far as those who put it into production have to know."""

import ast
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from utilmeta.conf import Preference
from utilmeta.conf.deployment import Deployment, ServerName, WorkerName, choose_server
from utilmeta.conf.health import Health
from utilmeta.conf.sizing import without_pool
from utilmeta.core.setup import bootstrap
from utilmeta.core.setup.compose import DEFAULT
from utilmeta.deploy.sites import METRICS, check_url, hsts_of, metrics_of, spelt, trusts, watched_by
from utilmeta.utils.exceptions import ConfigError

# Names that an application is looked for under first.
_NAMES = ("app", "application")
# Back ends with a server of their own.
OWN = ("sanic", "tornado")
_OUTPUT = re.compile(r"[A-Za-z0-9._/@+-]+")
# What ProtectHome= of systemd hides.
_HOMES = ("/home", "/root", "/run/user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files that nginx answers by itself.

    Attributes:
        url: path below which they are, with slashes around.
        folder: where they lie; absolute.
        is_hashed: whether their names change with what they hold.
        is_uploaded: whether they come from users.
    """

    url: str
    folder: PurePosixPath
    is_hashed: bool = False
    is_uploaded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a service lives.

    Attributes:
        folder: the project's, absolute.
        programs: where the programs of its Python are, absolute.
        output: where the written files lie, relative to the project's folder.
        is_at_home: whether something of it is in a user's home.
    """

    folder: PurePosixPath
    programs: PurePosixPath
    output: PurePosixPath
    is_at_home: bool = False

    @property
    def python(self) -> PurePosixPath:
        """The interpreter."""
        return self.programs / "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a service.

    Attributes:
        name: its name in lower case, with `-` for `_`; names the unit and what belongs to it.
        title: its name for people.
        backend: name of its framework.
        asynchronous: whether its application answers on an event loop.
        production: whether it says that it runs in production.
        deployment: how it is to run.
        health: its health endpoints.
        server: the program that serves.
        worker: kind of gunicorn's workers; None under other servers.
        module: what `python -m` runs for a server of its own.
        application: the application as `module:attribute`; None where the server is its own.
        settings_module: Django's settings module; None for a service that makes its settings.
        host: address that it listens on.
        port: port that it listens on.
        is_secure: whether clients use https.
        hsts: what Strict-Transport-Security is to say; None for nothing.
        domain: host name that clients use; None when it is not known.
        max_body_size: bytes that a request body may have; None for any number.
        project: the project's folder on this machine.
        lanes: worker threads of an async service, where the user has decided.
        files: what nginx answers by itself.
        metrics: path where metrics are read, which is not for clients; None where the API has an
            endpoint of its own at `/metrics`.
        trusts_loopback: whether a proxy on this machine is believed.
        uses_static_app: whether `django.contrib.staticfiles` is installed.
        databases: Django's `DATABASES`, as far as somebody has set them.
        has_redis: whether a cache is a Redis.
        python_version: such as `3.12`.
        requirements: files of the project's folder that say what it needs.
        watched: extras of what watches requests, such as `metrics`.
    """

    name: str
    title: str
    backend: str
    asynchronous: bool
    production: bool
    deployment: Deployment
    health: Health
    server: ServerName
    worker: WorkerName | None
    module: str
    application: str | None
    settings_module: str | None
    host: str
    port: int
    is_secure: bool
    domain: str | None
    max_body_size: int | None
    project: Path
    hsts: str | None = None
    lanes: int | None = None
    files: tuple[Files, ...] = ()
    metrics: str | None = METRICS
    trusts_loopback: bool = False
    uses_static_app: bool = False
    databases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    has_redis: bool = False
    python_version: str
    requirements: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()

    @property
    def listen(self) -> int:
        """The port that nginx answers clients on."""
        return self.deployment.listen or (443 if self.is_secure else 80)

    @property
    def redirects(self) -> bool:
        """Whether nginx sends clients of port 80 to https."""
        return self.is_secure and self.listen == 443

    @property
    def listened(self) -> list[int]:
        """The ports that nginx listens on."""
        return [80, self.listen] if self.redirects else [self.listen]


def gather(service: Any) -> Facts:
    """Return what is known of a service.

    Args:
        service: the service; it is set up, and its application made.

    Raises:
        ConfigError: its application cannot be imported by a server.
    """
    application = service.application()
    deployment = service.get_config(Deployment) or Deployment()
    preference = service.get_config(Preference) or Preference()
    backend = service.backend_name
    # Flask's application is WSGI, whatever its endpoints are.
    asynchronous = service.asynchronous and backend != "flask"
    server, worker = choose_server(deployment, backend, asynchronous=asynchronous)
    origin = urlsplit(service.origin or "")
    domain = deployment.domain or spelt(origin.hostname)
    from django.conf import settings

    own = server in OWN
    return Facts(
        name=service.name.lower().replace("_", "-").strip("-") or "service",
        title=service.title,
        backend=backend,
        asynchronous=asynchronous,
        production=service.production,
        deployment=deployment,
        health=service.get_config(Health) or Health(),
        server=server,
        worker=worker,
        module=_runnable(service) if own else service.module_name,
        application=None if own else _reference(service, application, asynchronous=asynchronous),
        settings_module=getattr(settings, "SETTINGS_MODULE", None),
        host=service.host or "127.0.0.1",
        port=service.port,
        is_secure=_is_secure(deployment, origin.scheme or service.scheme),
        domain=domain,
        hsts=hsts_of(settings),
        max_body_size=preference.max_body_size,
        project=service.project_dir,
        lanes=preference.lanes,
        files=_files(settings),
        metrics=metrics_of(service),
        watched=watched_by(service),
        trusts_loopback=trusts(preference, loopback(service.host)),
        uses_static_app="django.contrib.staticfiles" in settings.INSTALLED_APPS,
        databases=_databases(service),
        has_redis=any(
            "redis" in str(entry.get("BACKEND", "")).lower()
            for entry in declared(service, "CACHES").values()
        ),
        python_version=".".join(map(str, sys.version_info[:2])),
        requirements=tuple(
            name
            for name in ("requirements.txt", "pyproject.toml", "setup.cfg", "setup.py")
            if (service.project_dir / name).is_file()
        ),
    )


def declared(service: Any, name: str) -> dict[str, Any]:
    """Return `DATABASES` or `CACHES`; an empty one when it is a default that nobody has set.

    Args:
        service: the service, set up.
        name: the setting.
    """
    from django.conf import settings

    rule = service.settings.origins.get(name)
    if rule is not None and rule[1] == DEFAULT:
        return {}
    found: dict[str, Any] = getattr(settings, name)
    return found


def _databases(service: Any) -> dict[str, Any]:
    """Return the databases; pools that were made as large as there are threads count as none."""
    chosen = service.composed.pooled if service.composed is not None else frozenset()
    return {
        alias: without_pool(entry)
        if alias in chosen and bootstrap.is_composed(service.composed, alias)
        else entry
        for alias, entry in declared(service, "DATABASES").items()
    }


def find_place(project: Path, output: str, *, folder: str | None, venv: str | None) -> Place:
    """Return where the service lives.

    Args:
        project: the project's folder on this machine.
        output: where the files are written, relative to it.
        folder: the project's folder where it is to run; None for the same.
        venv: the virtual environment there; None for this Python's, which moves with the project
            when it lies in it.

    Raises:
        ConfigError: a path holds what units and configuration files cannot, or is not absolute.
    """
    root = PurePosixPath(folder or project)
    programs = PurePosixPath(sys.executable).parent
    # The interpreter that a virtual environment was made of may be elsewhere.
    paths = [root] if venv or folder else [root, PurePosixPath(os.path.realpath(sys.executable))]
    if venv is not None:
        programs = PurePosixPath(venv) / "bin"
    elif folder is not None and programs.is_relative_to(project):
        programs = root / programs.relative_to(project)
    for path in (root, programs):
        if not path.is_absolute():
            raise ConfigError(f"{path}: expected an absolute path, such as /srv/shop")
        _check_path(path)
    if not _OUTPUT.fullmatch(output):
        raise ConfigError(
            f"--output {output}: expected letters, digits, '.', '-', '_' and '/'; files name it"
        )
    return Place(
        folder=root,
        programs=programs,
        output=PurePosixPath(output),
        is_at_home=any(path.is_relative_to(home) for path in [*paths, programs] for home in _HOMES),
    )


def moved(facts: Facts, place: Place, path: PurePosixPath) -> PurePosixPath:
    """Return where a path of the project is in the place where the service lives."""
    project = PurePosixPath(facts.project)
    return place.folder / path.relative_to(project) if path.is_relative_to(project) else path


def _check_path(path: PurePosixPath) -> None:
    if any(char in str(path) for char in " '\"\\;{}$%\n\r\t#"):
        raise ConfigError(
            f"{str(path)!r}: units and nginx cannot hold such a path; move it to one of letters, "
            "digits, '.', '-', '_' and '/'"
        )


def _is_secure(deployment: Deployment, scheme: str) -> bool:
    if deployment.certificate is not None:
        return True
    return scheme == "https" and deployment.listen is None


def _reference(service: Any, application: object, *, asynchronous: bool) -> str:
    """Return where servers find the application, as `module:attribute`.

    Raises:
        ConfigError: it is no attribute of a module.
    """
    from django.conf import settings

    if service.module_name in {"__main__", "__mp_main__"}:
        raise ConfigError(
            "the service is made in the program that was started, which servers cannot import; "
            "make it in a module of its own, such as server.py"
        )
    held = vars(sys.modules.get(service.module_name, object))
    names = sorted(name for name, value in held.items() if value is application)
    for name in [*(item for item in _NAMES if item in names), *names]:
        return f"{service.module_name}:{name}"
    setting = "ASGI_APPLICATION" if asynchronous else "WSGI_APPLICATION"
    rule = service.settings.origins.get(setting)
    named = getattr(settings, setting, None)
    if service.backend_name == "django" and named and (rule is None or rule[1] != DEFAULT):
        module, _, attribute = named.rpartition(".")
        if module and hasattr(import_module(module), attribute):
            return f"{module}:{attribute}"
    raise ConfigError(
        f"{service.module_name} holds no application that a server could import; write there, "
        "outside of any if: app = service.application()"
    )


def _runnable(service: Any) -> str:
    """Return the module that `python -m` runs to serve.

    Raises:
        ConfigError: none does.
    """
    name: str = service.module_name
    if name in {"__main__", "__mp_main__"}:
        raise ConfigError(
            "the service is made in the program that was started; make it in a module of its own, "
            "such as server.py, that ends with: if __name__ == '__main__': service.run()"
        )
    package = name.partition(".")[0]
    if _serves_as_main(name):
        return name
    if package != name and find_spec(f"{package}.__main__") is not None:
        return package
    raise ConfigError(
        f"python -m {name} would not serve; write at its end: "
        "if __name__ == '__main__': service.run()"
    )


def _serves_as_main(name: str) -> bool:
    file = getattr(sys.modules[name], "__file__", None)
    if file is None or Path(file).name == "__init__.py":
        return False
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in tree.body
    )


def _files(settings: Any) -> tuple[Files, ...]:
    storage = settings.STORAGES.get("staticfiles", {}).get("BACKEND", "")
    given = (
        (settings.STATIC_URL, settings.STATIC_ROOT, "Manifest" in storage, False),
        (settings.MEDIA_URL, settings.MEDIA_ROOT, False, True),
    )
    found = []
    for url, root, is_hashed, is_uploaded in given:
        path = urlsplit(str(url or ""))
        # Files of another host are not this nginx's.
        if root and not path.netloc and path.path.strip("/"):
            folder = PurePosixPath(os.path.abspath(root))
            _check_path(folder)
            check_url(path.path)
            found.append(
                Files(
                    url=f"/{path.path.strip('/')}/",
                    folder=folder,
                    is_hashed=is_hashed,
                    is_uploaded=is_uploaded,
                )
            )
    return tuple(found)


def loopback(host: str) -> str:
    """Return the address that a proxy on this machine comes from.

    Args:
        host: the address that the service listens on.
    """
    return "::1" if ":" in host else "127.0.0.1"
