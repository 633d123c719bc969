"""Services in production: what `manage.py deploy` writes, started and put under load."""
