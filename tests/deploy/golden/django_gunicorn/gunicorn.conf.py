# Written by `manage.py deploy`: change Deployment(...) of the service and run it again.
"""How gunicorn serves shop."""

import os

# The socket of the supervisor; without one, gunicorn listens itself.
_descriptor = os.environ.get("UTILMETA_FD")
bind = f"fd://{_descriptor}" if _descriptor else "127.0.0.1:8000"

workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8
preload_app = False

# Seconds: for a request, for those in flight at the end, for the next one of a connection.
timeout = 30
graceful_timeout = 30
keepalive = 5

max_requests = 0
max_requests_jitter = 0

# Preference(trusted_proxies=...) judges forwarded headers; gunicorn must not have done so before.
forwarded_allow_ips = ""
secure_scheme_headers = {}
forwarder_headers = ""

proc_name = "shop"
accesslog = None
errorlog = "-"
# It has a name that all services of a user share.
control_socket_disable = True
# A disk that is slow would make workers look dead.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def post_worker_init(worker):
    """Run the start-up hooks before the first request; one that fails ends gunicorn."""
    from utilmeta import service

    service.setup()
    service.lifecycle.start_now()


def child_exit(server, worker):
    """Take a worker that has ended out of what is counted."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        try:
            from prometheus_client import multiprocess
        except ModuleNotFoundError:
            return
        multiprocess.mark_process_dead(worker.pid)
