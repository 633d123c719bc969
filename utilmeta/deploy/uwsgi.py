"""What uWSGI imports before the application, so that start-up comes before the first request."""

from importlib import import_module

import uwsgi

from utilmeta.conf import current


def _start() -> None:
    service = current.get()
    if service is not None:
        service.start()


if uwsgi.worker_id():
    # A process that loads the program by itself (lazy-apps): nothing follows that would tell.
    import_module(uwsgi.opt["module"].decode().partition(":")[0])
    _start()
else:
    uwsgi.post_fork_hook = _start
