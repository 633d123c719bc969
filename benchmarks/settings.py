"""Django's settings for every implementation that is not ours: the project alone, no middleware.

Read from the environment, as an implementation is a process of its own:

* `BENCHMARKS_DATABASE`: `sqlite:////path/of/a/file` or `postgresql://user@host:5432/name`;
* `BENCHMARKS_URLCONF`: the module that holds the implementation's URL patterns;
* `BENCHMARKS_IN_MIDDLEWARE`: a middleware of the project's own;
* `BENCHMARKS_APP`: one more app.
"""

import os
from typing import Any
from urllib.parse import unquote, urlsplit


def database(url: str) -> dict[str, Any]:
    """Return Django's entry for a URL; its connections are kept for ever."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path[1:],
            "CONN_MAX_AGE": None,
            # As our services say by default: a transaction takes the lock when it begins.
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }


SECRET_KEY = "only-for-measuring"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "testproject.conduit"]
if app := os.environ.get("BENCHMARKS_APP"):
    INSTALLED_APPS.append(app)
MIDDLEWARE = (
    ["benchmarks.implementations.middleware.DjangoStamp"]
    if os.environ.get("BENCHMARKS_IN_MIDDLEWARE")
    else []
)
ROOT_URLCONF = os.environ.get("BENCHMARKS_URLCONF", "benchmarks.implementations.django_views")
DATABASES = {"default": database(os.environ.get("BENCHMARKS_DATABASE", "sqlite:////tmp/none"))}
AUTH_USER_MODEL = "conduit.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
