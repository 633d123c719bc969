"""What `WSGI_APPLICATION` and `ASGI_APPLICATION` of a fresh service name."""

from utilmeta.conf import current


def __getattr__(name: str) -> object:
    """Return the application of the running service as `wsgi` or `asgi`.

    Raises:
        AttributeError: there is no service, or another name is asked for.
    """
    service = current.get()
    if name in {"wsgi", "asgi"} and service is not None:
        found: object = service.application()
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
