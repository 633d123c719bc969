"""Run `gunicorn -c gunicorn.conf.py` in this folder."""

wsgi_app = "server:app"
bind = "127.0.0.1:8000"
# Twice the number of processors, and one.
workers = 5
accesslog = "access.log"
errorlog = "error.log"
