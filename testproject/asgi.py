"""The ASGI application of the test project; set `TESTPROJECT_ASYNCHRONOUS=1` beside it."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")

from testproject.service import service

application = service.application()
