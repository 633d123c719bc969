"""Settings of the shop."""

import os

from utilmeta.core.orm import Database

URL = os.environ["SHOP_DATABASE_URL"]
DATABASES = {
    "default": Database.from_url(URL).as_django(),
    "other": Database.from_url(URL).as_django(),
}
if URL.startswith("sqlite"):
    DATABASES["other"]["TEST"] = {"NAME": "file:shop_other?mode=memory&cache=shared"}
else:
    name = DATABASES["default"]["NAME"]
    DATABASES["other"]["TEST"] = {"NAME": f"test_{name}_other"}

SECRET_KEY = "only for tests"
INSTALLED_APPS = ["utilmeta", "tests.orm.shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
