"""The WSGI application of the test project, for `runserver`, gunicorn and uWSGI."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "testproject.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
