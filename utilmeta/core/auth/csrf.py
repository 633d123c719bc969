"""Requests that another site has a browser send: told by token and origin, as Django does."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest, QueryDict

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.auth.cookies import django_cookie, send_cookie
from utilmeta.core.request import Request
from utilmeta.core.request.request import URLENCODED
from utilmeta.utils.exceptions import HttpError, PermissionDenied

logger = logging.getLogger("utilmeta.auth")

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FIELD = "csrfmiddlewaretoken"
_HEADERS = ("origin", "referer", "content-type")


class CsrfError(PermissionDenied):
    """403: an unsafe request that a cookie authenticated does not prove that it was meant.

    Args:
        reason: why, for the log and for development.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("CSRF verification failed", code="csrf")
        self.reason = reason


class _View(HttpRequest):
    """One of our requests, as Django's check looks at it."""

    def __init__(self, request: Request, form: Mapping[str, str]) -> None:
        super().__init__()
        from django.conf import settings

        self.ours = request
        self.method = request.method
        self.path = self.path_info = request.path
        self.COOKIES = dict(request.cookies)
        self._post = QueryDict(mutable=True)
        self._post.update(form)
        names = {f"HTTP_{name.upper().replace('-', '_')}": name for name in _HEADERS}
        wanted: str = settings.CSRF_HEADER_NAME
        names[wanted] = wanted.removeprefix("HTTP_").replace("_", "-").lower()
        for key, name in names.items():
            value = request.raw.header(name)
            if value is not None:
                self.META[key] = value

    @property
    def POST(self) -> Any:  # noqa: N802 - Django's name
        """The form's fields."""
        return self._post

    @POST.setter
    def POST(self, value: Any) -> None:  # noqa: N802
        self._post = value

    def get_host(self) -> str:
        """Return the host as the client used it; the engine has checked it."""
        return self.ours.host

    def get_port(self) -> str:
        """Return the port as the client used it."""
        host, _, port = self.ours.host.rpartition(":")
        return port if host and port.isdigit() else "443" if self.is_secure() else "80"

    def is_secure(self) -> bool:
        """Return whether the client used https."""
        return self.ours.scheme == "https"


@cache
def _check_class() -> Any:
    # Imported late, as it reads Django's settings.
    from django.middleware.csrf import CsrfViewMiddleware

    class Check(CsrfViewMiddleware):
        """Django's check, which tells why it refuses instead of making a page of it."""

        def _reject(self, request: Any, reason: str) -> Any:
            return reason

    return Check


def check_csrf(
    request: Request, form: Mapping[str, str] | None = None, session: Any = None
) -> None:
    """Refuse an unsafe request that does not show the token of its browser's cookie.

    Args:
        request: the request.
        form: fields of its form, one of which may be the token.
        session: where the token's secret is with Django's `CSRF_USE_SESSIONS`.

    Raises:
        CsrfError: the token is missing or wrong, or the request comes from another site.

    Source: django.middleware.csrf.CsrfViewMiddleware, whose check it is.
    """
    if request.method in SAFE:
        return
    view: Any = _View(request, form or {})
    if session is not None:
        view.session = session
    check = _check_class()(lambda _request: None)
    check.process_request(view)
    reason = check.process_view(view, None, (), {})
    if reason is not None:
        raise CsrfError(str(reason))


def form_token(request: Request) -> Steps:
    """Yield the call that reads a form which may hold the token; return its fields."""
    from django.conf import settings

    header: str = settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-").lower()
    is_form = request.content_type == URLENCODED
    if request.method in SAFE or not is_form or request.raw.header(header) is not None:
        return {}
    yield Call(request.read, blocking=False, twin=request.aread)
    try:
        token = request.data.get(FIELD)
    except HttpError:
        # What is wrong with the form is told where it is read; it holds no token.
        return {}
    return {} if token is None else {FIELD: token}


def has_token(request: Request) -> bool:
    """Return whether the browser has a token."""
    from django.conf import settings

    return settings.CSRF_USE_SESSIONS or settings.CSRF_COOKIE_NAME in request.cookies


def give_token(request: Request, session: Any = None, *, secret: str | None = None) -> None:
    """Give the browser a new token, readable by the site's scripts unless Django is told not to.

    Args:
        request: the request that is being answered.
        session: takes the token's secret with Django's `CSRF_USE_SESSIONS`.
        secret: the token, where Django has made it; None makes one.
    """
    from django.conf import settings
    from django.middleware.csrf import CSRF_SESSION_KEY, rotate_token

    if secret is None:
        view: Any = HttpRequest()
        rotate_token(view)
        secret = str(view.META["CSRF_COOKIE"])
    if settings.CSRF_USE_SESSIONS:
        if session is not None:
            session[CSRF_SESSION_KEY] = secret
        return
    send_cookie(request, django_cookie("CSRF"), secret, max_age=settings.CSRF_COOKIE_AGE)
