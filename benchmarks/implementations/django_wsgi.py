"""Django's WSGI application; `BENCHMARKS_URLCONF` names the views."""

from django.core.handlers.wsgi import WSGIHandler

import benchmarks.implementations.project  # noqa: F401  (sets Django up)

app = WSGIHandler()
