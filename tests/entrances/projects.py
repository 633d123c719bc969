"""Small projects, written from text, whose processes print what they found as JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import ROOT

SECONDS = 60
MARK = "FACTS "

MODELS = """
from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=50)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    made = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.name
"""

API = """
from decimal import Decimal

from django.conf import settings
from django.utils import timezone
from shop.models import Product
from utilmeta.core import api, orm


class ProductSchema(orm.Schema[Product]):
    id: int
    name: str
    price: Decimal


class RootAPI(api.API):
    @api.get
    def products(self):
        return ProductSchema.serialize(Product.objects.order_by("pk"))

    @api.post
    def add(self, name: str):
        return Product.objects.create(name=name, price=1).pk

    @api.get
    def settings(self):
        return {"zone": settings.TIME_ZONE, "limit": settings.SHOP_LIMIT}

    @api.get("products/{number}")
    def product(self, number: int):
        return ProductSchema.init(number)
"""

# What the service of each entrance is told; the project's settings module knows none of it.
CONFIGURE = """
from pathlib import Path

from utilmeta.conf.time import Time
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings

HERE = Path(__file__).resolve().parent.parent


def configure(service, **options):
    service.use(
        DjangoSettings(
            apps=["shop"],
            middleware=["django.middleware.common.CommonMiddleware"],
            allowed_hosts=["shop.example"],
            secret_key="the-services-key",
            language="zh-hans",
            append_slash=False,
            default_autofield="django.db.models.BigAutoField",
            extra={"SHOP_LIMIT": 7},
            **options,
        )
    )
    service.use(
        DatabaseConnections(
            {
                "default": Database(name="db.sqlite3"),
                "archive": Database(name="archive.sqlite3", options={"timeout": 3}),
            }
        )
    )
    service.use(
        CacheConnections(
            {
                "default": Cache(location="shop"),
                "slow": Cache(engine="file", location=str(HERE / "cache"), timeout=60),
            }
        )
    )
    service.use(Time(time_zone="Asia/Shanghai", use_tz=True))
"""

SERVER = """
from shop.configure import configure
from utilmeta import UtilMeta

service = UtilMeta(
    __name__, name="shop", backend={backend!r}, api="shop.api.RootAPI", route="/api", port={port}
)
configure(service)

if __name__ == "__main__":
    service.run()
"""

PROJECT_SERVICE = """
from shop.configure import configure
from utilmeta import UtilMeta

service = UtilMeta(__name__, name="shop", backend="django", api="shop.api.RootAPI", route="/api")
configure(service)
"""

MOUNTED = """
from shop.configure import configure
from utilmeta import UtilMeta

service = UtilMeta(
    __name__, name="shop", backend={backend!r}, api="shop.api.RootAPI", route="/api", port={port}
)
configure(service, module_name="project.settings")

if __name__ == "__main__":
    service.run()
"""

# A project as people have them: much of it is none of the service's business.
SETTINGS = """
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "the-projects-key"
DEBUG = True
ALLOWED_HOSTS = ["project.example"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "utilmeta",
    "shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(BASE_DIR / "db.sqlite3"),
        "OPTIONS": {"timeout": 11},
    },
    "legacy": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "CONN_MAX_AGE": 5},
}
DATABASE_ROUTERS = []
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "mine"},
    "local": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
LOGGING = {"version": 1, "disable_existing_loggers": False}
LANGUAGE_CODE = "de-de"
LANGUAGES = [("de", "Deutsch"), ("zh-hans", "中文")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["project.formats"]
STATIC_URL = "assets/"
SESSION_COOKIE_NAME = "project_session"
SESSION_COOKIE_SECURE = False
CSRF_TRUSTED_ORIGINS = ["https://project.example"]
EMAIL_SUBJECT_PREFIX = "[project] "
DATA_UPLOAD_MAX_MEMORY_SIZE = 12345
AUTH_PASSWORD_VALIDATORS = []
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
MY_OWN = {"deep": [1, {"two": (3,)}]}
UTILMETA_SERVICE = os.environ.get("SERVICE")
"""

URLS = """
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("native/", lambda request: HttpResponse("native")),
    path("", include("utilmeta.urls")),
]
"""

PLAIN_URLS = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("native/", lambda request: HttpResponse("native"))]
"""

MANAGE = """
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""

WSGI = """
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
"""

COMMAND = """
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    requires_system_checks = []

    def handle(self, **options):
        import facts

        facts.tell()
"""

# Run as `python facts.py MODULE`: imports the module that makes the service, and sets it up.
FACTS = """
import asyncio
import importlib
import json
import sys
from wsgiref.util import setup_testing_defaults


def settings_in_force():
    from django.conf import settings
    from django.core.cache import caches
    from django.db import connections

    # Django fills in the defaults of these two on first use.
    connections.settings, caches.settings
    # The holder itself: Django 6.1 warns whoever asks `settings` for deprecated names.
    return {
        name: repr(getattr(settings._wrapped, name))
        for name in sorted(dir(settings))
        if name.isupper() and name != "SETTINGS_MODULE"
    }


def call(application, path):
    if not is_asgi(application):
        environ = {"PATH_INFO": path, "HTTP_HOST": "shop.example"}
        setup_testing_defaults(environ)
        started = []
        start = lambda status, pairs, exc=None: started.append((status, pairs))
        source = application(environ, start)
        try:
            body = b"".join(source)
        finally:
            getattr(source, "close", lambda: None)()
        status, pairs = started[0]
        types = [value for name, value in pairs if name.lower() == "content-type"]
        return [int(status[:3]), types, body.decode()]

    async def request():
        import httpx

        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            answer = await client.get(path)
            return [answer.status_code, answer.headers.get_list("content-type"), answer.text]

    return asyncio.run(request())


def is_asgi(application):
    from django.core.handlers.asgi import ASGIHandler
    from starlette.applications import Starlette

    return isinstance(application, (ASGIHandler, Starlette))


def tell():
    from datetime import datetime, timezone as zones

    from django.conf import settings
    from django.core.cache import caches
    from django.core.management import call_command
    from django.db import connections
    from django.utils import timezone, translation
    from utilmeta import service

    call_command("migrate", run_syncdb=True, verbosity=0)
    from django.apps import apps
    from shop.models import Product

    for name in ("Tee 茶", "Käse", "🌱"):
        Product.objects.create(name=name, price="2.50")
    caches["slow"].set("key", "välue")
    archive = connections["archive"]
    with archive.cursor() as cursor:
        cursor.execute("SELECT 6 * 7")
        answer = cursor.fetchone()[0]
    application = service.application()
    moment = datetime(2026, 6, 1, 12, tzinfo=zones.utc)
    naive = datetime.fromtimestamp(moment.timestamp())
    print("FACTS " + json.dumps({
        "settings": settings_in_force(),
        "origins": {name: list(pair) for name, pair in service.settings.origins.items()},
        "apps": [config.name for config in apps.get_app_configs()],
        "rows": [str(row) for row in Product.objects.order_by("pk")],
        "archive": [answer, str(archive.settings_dict["NAME"]), archive.settings_dict["OPTIONS"]],
        "cached": caches["slow"].get("key"),
        "zone": timezone.get_default_timezone_name(),
        "local": timezone.localtime(moment).isoformat(),
        "naive": naive.isoformat(),
        "language": translation.get_language(),
        "application": type(application).__mro__[-2].__name__,
        "products": call(application, "/api/products"),
        "product": call(application, "/api/products/2"),
        "missing": call(application, "/api/products/99"),
        "wrong": call(application, "/api/products/x"),
        "unknown": call(application, "/api/nothing"),
        "values": call(application, "/api/settings"),
        "native": call(application, "/native/"),
    }))


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    module.service.setup()
    tell()
"""

SHOP: dict[str, str] = {
    "shop/__init__.py": "",
    "shop/models.py": MODELS,
    "shop/api.py": API,
    "shop/configure.py": CONFIGURE,
    "shop/management/__init__.py": "",
    "shop/management/commands/__init__.py": "",
    "shop/management/commands/facts.py": COMMAND,
    "facts.py": FACTS,
}
PROJECT: dict[str, str] = {
    **SHOP,
    "project/__init__.py": "",
    "project/settings.py": SETTINGS,
    "project/urls.py": URLS,
    "project/wsgi.py": WSGI,
    "project/service.py": PROJECT_SERVICE,
    "manage.py": MANAGE,
}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Done:
    """A process that ended."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All it has printed."""
        return self.out + self.err

    @property
    def facts(self) -> Any:
        """What it printed after `FACTS `; fails when it did not, or ended badly."""
        assert self.status == 0, self.text
        lines = [line for line in self.out.splitlines() if line.startswith(MARK)]
        assert len(lines) == 1, self.text
        return json.loads(lines[0].removeprefix(MARK))


def environment(**given: str) -> dict[str, str]:
    """Return this process's variables without those that name a project, and given ones."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PYTEST_", "UTILMETA_", "TESTPROJECT_"))
    }
    kept.pop("TZ", None)
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **given}


def python(folder: Path, *arguments: str, **env: str) -> Done:
    """Run Python in a folder, warnings being errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def script(folder: Path, text: str, **env: str) -> Done:
    """Run a program, given as text, in a folder."""
    return python(folder, "-c", text, **env)
