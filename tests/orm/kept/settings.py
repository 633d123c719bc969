"""Settings of the kept app: two databases on the engine that KEPT_DATABASE_URL names."""

import os

from utilmeta.core.orm import Database

URL = os.environ["KEPT_DATABASE_URL"]
DATABASES = {
    "default": Database.from_url(URL).as_django(),
    "other": Database.from_url(URL).as_django(),
}
if URL.startswith("sqlite"):
    DATABASES["other"]["TEST"] = {"NAME": "file:kept_other?mode=memory&cache=shared"}
else:
    name = DATABASES["default"]["NAME"]
    DATABASES["other"]["TEST"] = {"NAME": f"test_{name}_other"}

SECRET_KEY = "only for tests"
INSTALLED_APPS = ["django.contrib.contenttypes", "utilmeta", "tests.orm.kept"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
LANGUAGES = [("en", "English"), ("de", "German")]
