"""Cookies of the answer that is being made."""

from typing import Any

from utilmeta.conf.http import Cookie
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse
from utilmeta.core.response.headers import cookie_line


def django_cookie(kind: str, **options: Any) -> Cookie:
    """Return one of Django's cookies, as its settings say.

    Args:
        kind: `SESSION` or `CSRF`, which the settings' names begin with.
        **options: further ones of the cookie.
    """
    from django.conf import settings

    def told(name: str) -> Any:
        return getattr(settings, f"{kind}_COOKIE_{name}")

    return Cookie(
        name=told("NAME"),
        domain=told("DOMAIN") or None,
        path=told("PATH"),
        secure=True if told("SECURE") else None,
        http_only=told("HTTPONLY"),
        same_site=told("SAMESITE") or "Lax",
        **options,
    )


def send_cookie(
    request: Request, cookie: Cookie, value: str, *, max_age: int | None = None
) -> None:
    """Have the answer set a cookie.

    Args:
        request: the request that is being answered.
        cookie: its name and how it is kept.
        value: the value.
        max_age: seconds it is kept; None until the browser closes.
    """
    secure = cookie.is_secure
    line = cookie_line(
        cookie.name,
        value,
        max_age=max_age,
        path=cookie.path,
        domain=cookie.domain,
        secure=request.rules.secure_cookies if secure is None else secure,
        http_only=cookie.http_only,
        same_site=cookie.same_site,
    )
    lead = f"{cookie.name}="

    def act(response: RawResponse) -> None:
        # The last one counts, and a browser need not see the others.
        response.headers = [
            pair
            for pair in response.headers
            if pair[0] != "set-cookie" or not pair[1].startswith(lead)
        ]
        response.headers.append(("set-cookie", line))

    request.on_response(act)


def delete_cookie(request: Request, cookie: Cookie) -> None:
    """Have the answer make the browser forget a cookie."""
    send_cookie(request, cookie, "", max_age=0)


def vary(response: RawResponse, name: str) -> None:
    """Say that an answer depends on a header of the request, so that caches keep answers apart."""
    known = response.header("vary")
    names = [item.strip() for item in known.split(",")] if known else []
    if "*" not in names and name.lower() not in [item.lower() for item in names]:
        response.set_header("vary", ", ".join([*names, name]))
