"""Small projects that `manage.py deploy` is run in, as their users would."""

import os
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

GOLDEN = Path(__file__).parent / "golden"
HEAD = """
from utilmeta import UtilMeta
from utilmeta.conf import Deployment, Health, Preference
from utilmeta.core import api
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"

"""
TAIL = """
service.use(DjangoSettings(secret_key="never-written-anywhere-" * 3, apps=APPS, extra=EXTRA))
service.use(Preference(trusted_proxies=["127.0.0.1"]))

app = service.application()

if __name__ == "__main__":
    service.run()
"""


def source(made: str, *configs: str, extra: str = "{}", apps: str = "[]") -> str:
    """Return the text of a `server.py`.

    Args:
        made: further arguments of the service.
        *configs: expressions of configurations.
        extra: an expression of further Django settings.
        apps: an expression of further Django apps.
    """
    used = "".join(f"service.use({config})\n" for config in configs)
    return (
        f"{HEAD}\nAPPS = {apps}\nEXTRA = {extra}\nservice = UtilMeta(\n"
        f"    __name__, name='shop', api=RootAPI, route='/api', production=True, {made}\n"
        f")\n{used}{TAIL}"
    )


POSTGRES = (
    "DatabaseConnections({'default': Database(name='shop', engine='postgresql', user='shop', "
    "password='hunter2', host='postgres')})"
)
REDIS = "CacheConnections({'default': RedisCache(host='redis', password='hunter2')})"
FILES = """{
    "SECURE_HSTS_SECONDS": 31536000, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "STATIC_URL": "static/", "STATIC_ROOT": "public/static",
    "MEDIA_URL": "/media/", "MEDIA_ROOT": "public/media",
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        },
    },
}"""
PROJECTS = {
    "django_gunicorn": source(
        "backend='django', origin='https://shop.example.com'",
        "Deployment()",
        POSTGRES,
        REDIS,
        extra=FILES,
        apps="['django.contrib.staticfiles']",
    ),
    "starlette_uvicorn": source(
        "backend='starlette', origin='http://shop.example.com:8080'",
        "Deployment(listen=8080, connections=20)",
        POSTGRES,
    ),
    "flask_uwsgi": source(
        "backend='flask'",
        "Deployment(server='uwsgi', domain='shop.example.com', max_requests=5000, workers=3)",
        "Health(grace=2.5)",
    ),
    "sanic": source("backend='sanic', host='0.0.0.0'", "Deployment(timeout=60)"),
    "tornado": source(
        "backend='tornado', host='::1', port=9000",
        "Deployment(certificate='/etc/tls/shop.pem', certificate_key='/etc/tls/shop.key', "
        "domain='shop.example.com', listen=8443, user='shop')",
    ),
    "flask_granian": source("backend='flask'", "Deployment(server='granian', threads=4)"),
    "django_granian": source("backend='django', asynchronous=True", "Deployment(server='granian')"),
    "django_gevent": source(
        "backend='django'", "Deployment(worker='gevent', preload=False, workers=2)", POSTGRES
    ),
    "fastapi_worker": source("backend='fastapi'", "Deployment(worker='uvicorn')"),
    "django_hypercorn": source(
        "backend='django', asynchronous=True", "Deployment(server='hypercorn')", "Health(live=None)"
    ),
    "django_daphne": source("backend='django', asynchronous=True", "Deployment(server='daphne')"),
}
# What a project's folder holds beside its program.
BESIDE = {"django_gunicorn": {"requirements.txt": "utilmeta[postgres,redis]\ngunicorn\n"}}
PLACE = ("--folder", "/srv/shop", "--venv", "/srv/shop/.venv", "--processors", "2")


def make(folder: Path, name: str) -> Path:
    """Make a project in a folder, and return it."""
    return make_of(folder, PROJECTS[name], BESIDE.get(name, {}))


def make_of(folder: Path, text: str, beside: dict[str, str] | None = None) -> Path:
    """Make a project of a program in a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"server.py": text, **(beside or {})}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def run_command(folder: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run a management command of a project to its end."""
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", "utilmeta", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def deploy(folder: Path, *arguments: str, **env: str) -> dict[str, str]:
    """Run `deploy`, which must succeed, and return what it wrote, by name."""
    done = run_command(folder, "deploy", *arguments, **env)
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "deploy").iterdir()}


def written(folder: Path, name: str) -> dict[str, str]:
    """Return what `deploy` writes for a project, without what depends on this machine."""
    version = ".".join(map(str, sys.version_info[:2]))
    files = deploy(make(folder, name), *PLACE)
    return {
        file: text.replace(f"python:{version}-slim", "python:VERSION-slim")
        for file, text in files.items()
    }


def update(folder: Path) -> None:
    """Write the golden files anew; to be looked at before they are committed."""
    for name in PROJECTS:
        target = GOLDEN / name
        target.mkdir(parents=True, exist_ok=True)
        for known in target.iterdir():
            known.unlink()
        for file, text in written(folder / name, name).items():
            (target / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as temporary:
        update(Path(temporary))
