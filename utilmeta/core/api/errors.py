"""Which answer an exception stands for."""

import logging
import traceback
from typing import Any
from urllib.parse import quote

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.http import Http404

from utilmeta.core.orm.connections.availability import AWAY, RETRY_AFTER, is_away
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.finish import Finisher, whole
from utilmeta.core.response.headers import check_header
from utilmeta.core.response.problem import PROBLEM, problem_members
from utilmeta.utils.exceptions import HttpError, Redirect
from utilmeta.utils.exceptions.http import phrase_of

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


class Error:
    """An exception on its way to the client, as `handle` hooks and plugins are given it.

    Args:
        exception: what was raised.
        request: the request that was being answered.
        debug: whether the client may see the text of an unexpected exception.
    """

    def __init__(self, exception: Exception, request: Request, *, debug: bool = False) -> None:
        self.exception = exception
        self.request = request
        self.debug = debug

    def __repr__(self) -> str:
        return f"<Error {self.type.__name__} {self.status}>"

    @property
    def type(self) -> type[Exception]:
        """Class of the exception."""
        return type(self.exception)

    @property
    def status(self) -> int:
        """Status of the answer it stands for."""
        return status_of(self.exception)

    @property
    def message(self) -> str:
        """Text for the client: an unexpected exception's own only in development."""
        return message_of(self.exception, debug=self.debug)

    @property
    def traceback(self) -> str:
        """The traceback as text, for logs: never for clients."""
        return "".join(traceback.format_exception(self.exception))

    def throw(self) -> Any:
        """Raise the exception again; the next outer hook gets it.

        Returns:
            Nothing; it may be written `raise error.throw()`.
        """
        raise self.exception


def status_of(error: BaseException) -> int:
    """Return the status an exception stands for."""
    if isinstance(error, HttpError):
        return error.status_code
    if is_away(error):
        return 503
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def message_of(error: BaseException, *, debug: bool) -> str:
    """Return what the client may read of an exception."""
    if isinstance(error, HttpError):
        return error.message
    if is_away(error):
        # The driver's own text names hosts and users.
        return AWAY
    status = status_of(error)
    if not debug:
        return phrase_of(status)
    text = _text(error)
    return f"{type(error).__name__}: {text}" if status == 500 else text or phrase_of(status)


def error_response(
    error: Exception, request: Request | None, finisher: Finisher, *, debug: bool
) -> Response[Any]:
    """Return the answer for an exception; those that are the server's fault are logged once.

    Args:
        error: what was raised.
        request: the request, for the log line; None when it could not be made.
        finisher: knows the template; one with a message key is used, else RFC 9457.
        debug: whether the client may see the text of an unexpected exception.
    """
    status = status_of(error)
    if status >= 500:
        _log(error, request)
    message = message_of(error, debug=debug)
    headers = _headers_of(error)
    faults = error.errors if isinstance(error, HttpError) else []
    response: Response[Any]
    template = finisher.errors
    if isinstance(error, Redirect):
        response = Response(None, error.status_code, headers)
    elif template is not None:
        response = _templated(template, status, message)
        response.headers.update(headers)
        response.state = error.code if isinstance(error, HttpError) else None
        response.faults = faults
    else:
        code = error.code if isinstance(error, HttpError) else None
        members = problem_members(status, message, code=code, errors=faults)
        response = Response(members, status, headers, content_type=PROBLEM)
    response.error = error
    return response


def _headers_of(error: Exception) -> dict[str, str]:
    if isinstance(error, HttpError):
        return dict(error.headers)
    return {"Retry-After": str(RETRY_AFTER)} if is_away(error) else {}


def _templated(template: type[Response[Any]], status: int, message: str) -> Response[Any]:
    """Return an empty answer of a template, whose own `__init__` may take other arguments."""
    response = template.__new__(template)
    Response.__init__(response, None, status, message=message)
    return response


def answer_error(
    error: Exception, request: Request | None, *, debug: bool, finisher: Finisher | None = None
) -> RawResponse:
    """Return the finished answer for an exception; see `error_response`."""
    chosen = finisher or Finisher()
    try:
        is_plain = chosen.errors is None and not isinstance(error, Redirect)
        if is_plain and isinstance(error, HttpError) and error.status_code < 500:
            raw = _problem(error, chosen)
        else:
            raw = chosen(error_response(error, request, chosen, debug=debug))
    except Exception as exc:
        raw = Finisher()(error_response(exc, request, Finisher(), debug=False))
    raw.error = error
    return raw


def _problem(error: HttpError, finisher: Finisher) -> RawResponse:
    """Return the answer for a client's fault, without the response that nobody looks at."""
    status = error.status_code
    members = problem_members(status, error.message, code=error.code, errors=error.errors)
    raw = whole(finisher.encode(members), PROBLEM)
    raw.status = status
    raw.headers += [
        (name.lower(), check_header(name, text)) for name, text in error.headers.items()
    ]
    return raw


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        return ""
    return text.encode(errors="backslashreplace").decode()


def _log(error: Exception, request: Request | None) -> None:
    target = "request" if request is None else shown(request)
    logger.error("%s failed: %s", target, type(error).__name__, exc_info=error)


def shown(request: Request) -> str:
    """Return method and path as log lines show them, with nothing in them that breaks a line."""
    return f"{request.method} {quote(request.raw.prefix + request.path)}"
