"""The servers that are tried, and on what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A server, its kind of worker, and the service it serves.

    Attributes:
        server: as in `Deployment(server=...)`.
        backend: the service's.
        asynchronous: whether the service is async.
        worker: gunicorn's kind of worker.
        preload: whether the program is loaded before the workers are forked.
    """

    server: str
    backend: str
    asynchronous: bool
    worker: str | None = None
    preload: bool = False

    @property
    def name(self) -> str:
        """The server, for people."""
        words = [self.server, self.worker or ""]
        if self.server == "granian":
            words.append("asgi" if self.asynchronous else "wsgi")
        words.append("preload" if self.preload else "")
        return " ".join(filter(None, words))

    def __str__(self) -> str:
        return f"{self.name} {self.backend}".replace(" ", "-")

    def environ(self) -> dict[str, str]:
        """Return what the service reads about itself."""
        found = {
            "BACKEND": self.backend,
            "ASYNCHRONOUS": str(self.asynchronous),
            "SERVER": self.server,
            "PRELOAD": str(self.preload),
        }
        return found | ({"WORKER": self.worker} if self.worker else {})


GUNICORN = [
    Row("gunicorn", "django", False, "sync"),
    Row("gunicorn", "flask", False, "sync", preload=True),
    Row("gunicorn", "flask", False, "gthread"),
    Row("gunicorn", "django", False, "gthread", preload=True),
    Row("gunicorn", "django", False, "gevent"),
    Row("gunicorn", "flask", False, "gevent", preload=True),
    Row("gunicorn", "starlette", True, "uvicorn"),
    Row("gunicorn", "fastapi", True, "uvicorn", preload=True),
    Row("gunicorn", "django", True, "asgi"),
    Row("gunicorn", "starlette", True, "asgi", preload=True),
]
OTHERS = [
    Row("uwsgi", "django", False),
    Row("uwsgi", "flask", False, preload=True),
    Row("uvicorn", "fastapi", True),
    Row("uvicorn", "django", True),
    Row("hypercorn", "starlette", True),
    Row("granian", "starlette", True),
    Row("granian", "flask", False),
    Row("daphne", "django", True),
    Row("sanic", "sanic", True),
    Row("tornado", "tornado", True),
]
ROWS = [*GUNICORN, *OTHERS]
