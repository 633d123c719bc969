"""What uWSGI imports so that start-up comes before the first request.

Under `lazy-apps` it is imported in each worker, just before the application; otherwise in the
master, whose workers are forked later.
"""

from importlib import import_module

import uwsgi

from utilmeta.conf import current


def start() -> None:
    """Run the start-up hooks of the service in this process."""
    service = current.get()
    if service is not None:
        service.start()


if uwsgi.worker_id():
    import_module(uwsgi.opt["module"].decode().partition(":")[0])
    start()
else:
    uwsgi.post_fork_hook = start
