"""REST framework's authentication classes as OpenAPI describes them."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import authentication

Scheme = Mapping[str, Any]


def scheme_of(authenticator: Any) -> Scheme | None:
    """Return how an authenticator is told who asks, None for one that is not known.

    Args:
        authenticator: an instance; a class of the project's own may say it by an attribute
            `openapi_scheme`.
    """
    own: Scheme | None = getattr(authenticator, "openapi_scheme", None)
    if own is not None:
        return own
    if isinstance(authenticator, authentication.BasicAuthentication):
        return {"type": "http", "scheme": "basic"}
    if isinstance(authenticator, authentication.TokenAuthentication):
        text = f"'{authenticator.keyword}', a space and the token"
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": text}
    if isinstance(authenticator, authentication.SessionAuthentication):
        from django.conf import settings

        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
    return None


def schemes_of(authenticators: Iterable[Any]) -> dict[str, Scheme]:
    """Return the schemes of those that are known, by name."""
    found = {}
    for authenticator in authenticators:
        scheme = scheme_of(authenticator)
        if scheme is not None:
            found[type(authenticator).__name__.removesuffix("Authentication")] = scheme
    return found


def header_of(scheme: Scheme | None) -> str:
    """Return the header that answers depend on where a scheme proves who one is."""
    if scheme is None or scheme["type"] != "apiKey":
        return "Authorization"
    return "Cookie" if scheme["in"] == "cookie" else str(scheme["name"])
