"""What uWSGI imports in each of its processes, so that start-up comes before the first request."""

import uwsgi

from utilmeta.conf import current


def _start() -> None:
    service = current.get()
    if service is not None:
        service.start()


uwsgi.post_fork_hook = _start
