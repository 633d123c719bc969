"""Django set up when this is imported, as a server's entry does it before it imports models."""

import os

import django

from benchmarks.data import add_sleep_to_django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
django.setup()
add_sleep_to_django()
