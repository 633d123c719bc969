"""The files that put a service into production."""

import hashlib
import json
import shlex
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from utilmeta.deploy.commands import address, command, stop_seconds
from utilmeta.deploy.facts import Facts, Files, Place, moved
from utilmeta.deploy.images import VENV, WORK, installs, quoted_list, stores, system_packages
from utilmeta.deploy.sizing import Sizing
from utilmeta.deploy.templating import render_template

# Bytes above the service's own limit that nginx lets pass, so that the service answers.
_ABOVE_LIMIT = 1024 * 1024
# Seconds above the service's own that nginx waits.
_ABOVE_TIMEOUT = 5
# Letters of a service's name in names of nginx's variables and servers; it takes some 60 in all.
_LONGEST = 20
_WORKER_CLASSES = {"uvicorn": "utilmeta.deploy.workers.UvicornWorker"}


def render(facts: Facts, sizing: Sizing, place: Place) -> dict[str, str]:
    """Return the files, name to text.

    Args:
        facts: what is known of the service.
        sizing: how many processes and threads serve.
        place: where it lives.
    """
    values = _values(facts, sizing, place)
    files = {
        "nginx.conf": "nginx.conf",
        f"{facts.name}.service": "unit.service",
        "Dockerfile": "Dockerfile",
        "Dockerfile.dockerignore": "dockerignore",
        "compose.yaml": "compose.yaml",
    }
    if facts.server == "gunicorn":
        files["gunicorn.conf.py"] = "gunicorn.conf"
    if facts.server == "uwsgi":
        files["uwsgi.ini"] = "uwsgi.ini"
    return {name: render_template(template, values) for name, template in sorted(files.items())}


def _values(facts: Facts, sizing: Sizing, place: Place) -> dict[str, Any]:
    files = [replace(item, folder=moved(facts, place, item.folder)) for item in facts.files]
    return {
        "facts": facts,
        "deployment": facts.deployment,
        "sizing": sizing,
        "place": place,
        "name": facts.name,
        "variable": f"service_{_short(facts.name).replace('-', '_')}",
        "nobody": f"{_short(facts.name)}.invalid",
        "stop_seconds": stop_seconds(facts),
        "bind": address(facts),
        "environment": _environment(facts, sizing),
        "live": facts.health.live,
        "ready": facts.health.ready or facts.health.live,
        "volumes": _volumes(facts, files),
        **_server_values(facts, sizing, place),
        **_site_values(facts, files),
        **_image_values(facts, sizing, place),
        **_compose_values(facts, place),
    }


def _short(name: str) -> str:
    """Return what stands for a service in names that nginx keeps in tables of short ones."""
    return name if len(name) <= _LONGEST else hashlib.sha256(name.encode()).hexdigest()[:16]


def _server_values(facts: Facts, sizing: Sizing, place: Place) -> dict[str, Any]:
    return {
        "command": _unit_words(command(facts, sizing, place)),
        "title": " ".join(facts.title.split()).replace("%", "%%"),
        "worker_class": _WORKER_CLASSES.get(str(facts.worker), facts.worker),
        # Random, so that workers do not end all at once.
        "jitter": facts.deployment.max_requests // 10,
        "needs_low_port": facts.port < 1024,
    }


def _site_values(facts: Facts, files: list[Files]) -> dict[str, Any]:
    given, limit = facts.deployment, facts.max_body_size
    return {
        "upstream": _upstream(facts),
        "listen": facts.listen,
        "redirects": facts.redirects,
        # Where plain http is listened to.
        "plain_listen": (80 if facts.redirects else None) if facts.is_secure else facts.listen,
        "hsts": facts.hsts,
        "certificate": given.certificate or _certbot(facts, "fullchain.pem"),
        "certificate_key": given.certificate_key or _certbot(facts, "privkey.pem"),
        "max_body_size": 0 if limit is None else limit + _ABOVE_LIMIT,
        "read_timeout": given.timeout + _ABOVE_TIMEOUT,
        "files": files,
        "metrics": facts.metrics,
    }


def _image_values(facts: Facts, sizing: Sizing, place: Place) -> dict[str, Any]:
    image = Place(folder=PurePosixPath(WORK), programs=PurePosixPath(VENV), output=place.output)
    root = PurePosixPath(facts.project)
    inside = [item.folder for item in facts.files if item.folder.is_relative_to(root)]
    packages = system_packages(facts)
    return {
        "image": image,
        "image_command": json.dumps(command(facts, sizing, image)),
        "live_command": json.dumps(_ask(facts, facts.health.live)),
        "requirements": facts.requirements,
        "installs": installs(facts),
        "compiles": packages[0],
        "runs_with": packages[1],
        "ignored": [str(folder.relative_to(root)) for folder in inside],
    }


def _compose_values(facts: Facts, place: Place) -> dict[str, Any]:
    given = facts.deployment
    own = [item for item in (given.certificate, given.certificate_key) if item]
    beside = stores(facts)
    names = {"media" if item.is_uploaded else "static" for item in facts.files}
    return {
        "context": "/".join([".."] * len(place.output.parts)) or ".",
        "ports": facts.listened,
        "ready_test": quoted_list(["CMD", *_ask(facts, facts.health.ready or facts.health.live)]),
        "certificates": own if len(own) == 2 else ["/etc/letsencrypt", *own],
        "stores": [{**item, "test": quoted_list(item["test"])} for item in beside],
        "all_volumes": sorted(names | {item["volume"] for item in beside}),
    }


def _ask(facts: Facts, path: str | None) -> list[str]:
    """Return the words that ask the service, inside of its container, how it is."""
    kind = "uwsgi" if facts.server == "uwsgi" else "http"
    return [f"{VENV}/python", "-m", "utilmeta.deploy.ask", f"{kind}://{_upstream(facts)}{path}"]


def _environment(facts: Facts, sizing: Sizing) -> list[tuple[str, str]]:
    found = {"PYTHONUNBUFFERED": "1", "WEB_CONCURRENCY": str(sizing.workers)}
    if facts.settings_module:
        found["DJANGO_SETTINGS_MODULE"] = facts.settings_module
    return sorted(found.items())


def _unit_words(words: list[str]) -> str:
    # systemd reads % and $ for itself.
    return shlex.join(words).replace("%", "%%").replace("$", "$$")


def _upstream(facts: Facts) -> str:
    """Return where nginx finds the service."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    return address(replace(facts, host=here.get(facts.host, facts.host)))


def _certbot(facts: Facts, name: str) -> str:
    return f"/etc/letsencrypt/live/{facts.domain}/{name}"


def _volumes(facts: Facts, files: list[Files]) -> list[dict[str, str]]:
    """Return the folders that the containers of the service and of nginx share."""
    image = Place(
        folder=PurePosixPath(WORK), programs=PurePosixPath(VENV), output=PurePosixPath(".")
    )
    return [
        {
            "name": "media" if item.is_uploaded else "static",
            "inside": str(moved(facts, image, given.folder)),
            "served": str(item.folder),
        }
        for given, item in zip(facts.files, files, strict=True)
    ]
