"""REST framework's exceptions as ours."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rest_framework import exceptions as drf

from utilmeta.utils.exceptions import (
    BadRequest,
    HttpError,
    MethodNotAllowed,
    TooManyRequests,
    Unauthorized,
)


def to_http_error(error: drf.APIException, challenge: str | None = None) -> HttpError:
    """Return the answer that an exception of REST framework's stands for.

    Args:
        error: the exception.
        challenge: `WWW-Authenticate` of answers to those who are not known; None for 403 instead
            of 401, as REST framework does when its first authenticator has none.
    """
    if isinstance(error, drf.ValidationError):
        return _invalid(error)
    message, code = _text(error.detail), _code(error)
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        if challenge:
            return Unauthorized(message, challenge=challenge, code=code)
        return HttpError(message, status=403, code=code)
    if isinstance(error, drf.Throttled):
        headers = {} if error.wait is None else {"Retry-After": str(math.ceil(error.wait))}
        return TooManyRequests(message, code=code, headers=headers)
    if isinstance(error, drf.MethodNotAllowed):
        return MethodNotAllowed(message)
    return HttpError(message, status=error.status_code, code=code)


def _invalid(error: drf.ValidationError) -> BadRequest:
    from utilmeta.contrib.rest_framework.serializing import faults_of

    faults: list[Mapping[str, object]] = []
    for place, code, expected, _ in faults_of(error.detail, None):
        where = ".".join(["body", *map(str, place)])
        faults.append({"place": where, "code": code, "expected": expected})
    return BadRequest("The request is invalid", errors=faults)


def _text(detail: Any) -> str:
    if isinstance(detail, Mapping):
        if "detail" in detail:
            return str(detail["detail"])
        return "; ".join(f"{name}: {_text(item)}" for name, item in detail.items())
    return "; ".join(map(_text, detail)) if isinstance(detail, list) else str(detail)


def _code(error: drf.APIException) -> str | None:
    found = getattr(error.detail, "code", None)
    return str(found) if found else None


@contextmanager
def translated(challenge: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """Raise what REST framework raises in the block as ours.

    Args:
        challenge: returns the `WWW-Authenticate` of answers to those who are not known.

    Raises:
        HttpError: it raised an exception that is an answer.
    """
    try:
        yield
    except drf.APIException as exc:
        raise to_http_error(exc, challenge()) from exc
