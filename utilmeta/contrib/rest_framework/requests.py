"""REST framework's request over one of ours, for its serializers and policies."""

import copy
import io
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, QueryDict
from django.utils.module_loading import import_string
from rest_framework.request import Request as DRFRequest
from rest_framework.request import is_form_media_type
from rest_framework.settings import api_settings

from utilmeta.core.request import Request, var
from utilmeta.core.request.request import MULTIPART, URLENCODED
from utilmeta.core.server.mount import environ_of

_KEPT = "rest_framework_request"


class BridgedRequest(DRFRequest):  # type: ignore[misc]
    """REST framework's request, which reads no body but a form's for `POST`.

    Django's check against CSRF looks into it for its token before it looks at the header.
    """

    @property
    def POST(self) -> Any:  # noqa: N802 - Django's name
        """The form's fields; none of what is no form."""
        if not is_form_media_type(self.content_type):
            return QueryDict("")
        return super().POST


def may_hold_token(request: Request) -> bool:
    """Return whether Django looks into a form for the token that goes with a session's cookie."""
    if request.method != "POST" or request.content_type not in {URLENCODED, MULTIPART}:
        return False
    return settings.SESSION_COOKIE_NAME in request.cookies


class LateBody(io.RawIOBase):
    """The body of one of our requests as a file, looked at when it is first read.

    Args:
        request: the request.
    """

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._request = request
        self._file: io.BytesIO | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def _opened(self) -> io.BytesIO:
        if self._file is None:
            self._file = io.BytesIO(self._request.body)
        return self._file

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes.

        Raises:
            RuntimeError: an async service has not read the body yet; see `Use(reads_body=...)`.
        """
        return self._opened().read(size)

    def readline(self, size: int | None = -1) -> bytes:
        """Return up to the end of the line."""
        return self._opened().readline(size)


def http_request(request: Request) -> HttpRequest:
    """Return Django's request for one of ours.

    On Django it is a copy of the one that its middleware has seen, with what that has put onto it;
    elsewhere one with the session and user that Django's middleware would find, where the settings
    name that middleware. Its body is ours.
    """
    native = request.adaptor
    if isinstance(native, HttpRequest):
        found: Any = copy.copy(native)
        for name in ("_body", "_post", "_files"):
            vars(found).pop(name, None)
        vars(found).update(_stream=LateBody(request), _read_started=False)
        return _with_user(found)
    environ = environ_of(request.raw, LateBody(request), request.content_length or 0)
    environ["HTTP_HOST"] = request.host
    environ["REMOTE_ADDR"] = request.ip_address or ""
    environ["wsgi.url_scheme"] = request.scheme
    return _with_user(WSGIRequest(environ))


def _with_user(found: Any) -> HttpRequest:
    """Return a request with session and user, where the project has middleware for them."""
    kinds = _middleware(tuple(settings.MIDDLEWARE))
    if not hasattr(found, "session"):
        for kind in kinds:
            if issubclass(kind, SessionMiddleware):
                kind(_no_response).process_request(found)
    if hasattr(found, "session") and not hasattr(found, "user"):
        from django.contrib.auth.middleware import AuthenticationMiddleware

        for kind in kinds:
            if issubclass(kind, AuthenticationMiddleware):
                kind(_no_response).process_request(found)
    request: HttpRequest = found
    return request


@lru_cache(16)
def _middleware(names: tuple[str, ...]) -> tuple[type, ...]:
    """Return the classes among a project's middleware."""
    kinds = map(import_string, names)
    return tuple(kind for kind in kinds if isinstance(kind, type))


def _no_response(_request: HttpRequest) -> Any:
    raise AssertionError("only process_request is called")


def make_request(request: Request, authenticators: Any = (), view: Any = None) -> Any:
    """Return a new REST framework request for one of ours, and keep it for `request_of`."""
    made: Any = BridgedRequest(
        http_request(request),
        parsers=[parser() for parser in api_settings.DEFAULT_PARSER_CLASSES],
        authenticators=authenticators,
        parser_context={"view": view, "args": (), "kwargs": dict(request.path_params)},
    )
    made.version = made.versioning_scheme = None
    request.context[_KEPT] = made
    return made


def request_of(request: Request) -> Any:
    """Return REST framework's request for one of ours, the same each time.

    It has the user and `auth` that `Use` found; without it the user is that of `request.var.user`.
    """
    made: Any = request.context.get(_KEPT)
    if made is None:
        made = make_request(request)
    if not made.authenticators and var.user.is_set(request):
        made.user = var.user.get(request)
    return made
