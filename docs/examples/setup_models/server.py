"""Models are imported after `service.setup()`, which is what makes them importable."""
# ruff: noqa: F403, F405 - an import below code, and of everything, is what this file shows

import os

import django

from config.conf import configure
from utilmeta import UtilMeta

service = UtilMeta(
    __name__,
    name="demo",
    backend=django,
    api="user.api.UserAPI",
    port=int(os.environ.get("PORT", "8000")),
)
configure(service)
service.setup()

from user.models import *


@service.on_startup
def fill_database():
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    for name in ("Grace", "Ada"):
        User.objects.get_or_create(name=name)


app = service.application()

if __name__ == "__main__":
    service.run()
