"""Django's ASGI application; `BENCHMARKS_URLCONF` names the views."""

from django.core.handlers.asgi import ASGIHandler

import benchmarks.implementations.project  # noqa: F401  (sets Django up)

app = ASGIHandler()
