"""Which answer an exception stands for."""

import logging

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.http import Http404

from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse
from utilmeta.core.response.problem import from_error, problem
from utilmeta.utils.exceptions import HttpError

logger = logging.getLogger("utilmeta.errors")

# Exact types before their parents: the first that fits wins.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (Http404, 404),
    (DjangoPermissionDenied, 403),
    (SuspiciousOperation, 400),
    (PermissionError, 403),
    (FileNotFoundError, 404),
    (NotImplementedError, 501),
    (TimeoutError, 504),
)


def answer_error(error: Exception, request: Request | None, *, debug: bool) -> RawResponse:
    """Return the answer for an exception; those that are the server's fault are logged once.

    Args:
        error: what an endpoint raised.
        request: the request, for the log line; None when it could not be made.
        debug: whether the client may see the text of an unexpected exception.
    """
    if isinstance(error, HttpError):
        if error.status_code >= 500:
            _log(error, request)
        try:
            return from_error(error)
        except ValueError as exc:
            # A header or a text that cannot be sent: the error itself is wrong.
            _log(exc, request)
            return problem(500)
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            if status >= 500:
                _log(error, request)
            return problem(status, _text(error) if debug else None)
    _log(error, request)
    return problem(500, f"{type(error).__name__}: {_text(error)}" if debug else None)


def _text(error: Exception) -> str:
    try:
        text = str(error)
    except Exception:
        return ""
    return text.encode(errors="backslashreplace").decode()


def _log(error: Exception, request: Request | None) -> None:
    target = "request" if request is None else f"{request.method} {request.path}"
    logger.error("%s failed: %s", target, type(error).__name__, exc_info=error)
