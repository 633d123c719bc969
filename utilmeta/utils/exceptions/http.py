"""Errors that are answers: one class for each HTTP status of RFC 9110 and the IANA registry."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import quote

from utilmeta.utils.exceptions.base import UtilMetaError

# What may stand in a URL as it is (RFC 3986 section 2), the percent sign included.
_URL_SAFE = "/#%[]=:;$&()+,!?*@'~"


class HttpError(UtilMetaError):
    """An answer with a status, raised from anywhere below an endpoint.

    Args:
        message: what went wrong, for the client; None means the status's own phrase.
        status: overrides the class's status for this instance.
        code: a machine-readable word for the client, kept apart from the status.
        headers: further response headers.
        errors: one mapping per fault, put into the answer's `errors` member.
    """

    status: ClassVar[int] = 500
    phrase: ClassVar[str] = "Internal Server Error"

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        self.message = self.phrase if message is None else message
        self.status_code = type(self).status if status is None else status
        self.code = code
        self.headers = dict(headers or {})
        self.errors = list(errors)
        super().__init__(self.message)


class ClientError(HttpError):
    """The request is at fault (4xx)."""

    status = 400
    phrase = "Bad Request"


class ServerError(HttpError):
    """The server is at fault (5xx)."""

    status = 500
    phrase = "Internal Server Error"


class Redirect(HttpError):
    """The client finds the answer elsewhere (3xx).

    Args:
        url: the value of the `Location` header; other characters than ASCII are encoded.
    """

    status = 302
    phrase = "Found"

    def __init__(self, url: str, message: str | None = None, *, code: str | None = None) -> None:
        self.url = url if url.isascii() else quote(url, safe=_URL_SAFE)
        super().__init__(message, code=code, headers={"Location": self.url})


class BadRequest(ClientError):
    """400 Bad Request."""

    status = 400
    phrase = "Bad Request"


class Unauthorized(ClientError):
    """401: credentials are missing or not accepted.

    Args:
        message: what went wrong, for the client.
        challenge: the `WWW-Authenticate` header (RFC 9110 section 11.6.1).
        code: a machine-readable word for the client.
        errors: one mapping per fault.
    """

    status = 401
    phrase = "Unauthorized"

    def __init__(
        self,
        message: str | None = None,
        *,
        challenge: str = "Bearer",
        code: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": challenge}, errors=errors)


class PaymentRequired(ClientError):
    """402 Payment Required."""

    status = 402
    phrase = "Payment Required"


class PermissionDenied(ClientError):
    """403 Forbidden."""

    status = 403
    phrase = "Forbidden"


class NotFound(ClientError):
    """404 Not Found."""

    status = 404
    phrase = "Not Found"


class MethodNotAllowed(ClientError):
    """405: the path exists, not for this method.

    Args:
        message: what went wrong, for the client.
        allow: the methods that exist, for the `Allow` header (RFC 9110 section 15.5.6).
    """

    status = 405
    phrase = "Method Not Allowed"

    def __init__(self, message: str | None = None, *, allow: Sequence[str] = ()) -> None:
        super().__init__(message, headers={"Allow": ", ".join(allow)})
        self.allow = tuple(allow)


class NotAcceptable(ClientError):
    """406 Not Acceptable."""

    status = 406
    phrase = "Not Acceptable"


class ProxyAuthenticationRequired(ClientError):
    """407 Proxy Authentication Required."""

    status = 407
    phrase = "Proxy Authentication Required"


class RequestTimeout(ClientError):
    """408 Request Timeout."""

    status = 408
    phrase = "Request Timeout"


class Conflict(ClientError):
    """409 Conflict."""

    status = 409
    phrase = "Conflict"


class Gone(ClientError):
    """410 Gone."""

    status = 410
    phrase = "Gone"


class LengthRequired(ClientError):
    """411 Length Required."""

    status = 411
    phrase = "Length Required"


class PreconditionFailed(ClientError):
    """412 Precondition Failed."""

    status = 412
    phrase = "Precondition Failed"


class RequestEntityTooLarge(ClientError):
    """413 Content Too Large."""

    status = 413
    phrase = "Content Too Large"


class UriTooLong(ClientError):
    """414 URI Too Long."""

    status = 414
    phrase = "URI Too Long"


class UnsupportedMediaType(ClientError):
    """415 Unsupported Media Type."""

    status = 415
    phrase = "Unsupported Media Type"


class RangeNotSatisfiable(ClientError):
    """416 Range Not Satisfiable."""

    status = 416
    phrase = "Range Not Satisfiable"


class ExpectationFailed(ClientError):
    """417 Expectation Failed."""

    status = 417
    phrase = "Expectation Failed"


class MisdirectedRequest(ClientError):
    """421 Misdirected Request."""

    status = 421
    phrase = "Misdirected Request"


class UnprocessableEntity(ClientError):
    """422 Unprocessable Content."""

    status = 422
    phrase = "Unprocessable Content"


class Locked(ClientError):
    """423 Locked."""

    status = 423
    phrase = "Locked"


class FailedDependency(ClientError):
    """424 Failed Dependency."""

    status = 424
    phrase = "Failed Dependency"


class TooEarly(ClientError):
    """425 Too Early."""

    status = 425
    phrase = "Too Early"


class UpgradeRequired(ClientError):
    """426 Upgrade Required."""

    status = 426
    phrase = "Upgrade Required"


class PreconditionRequired(ClientError):
    """428 Precondition Required."""

    status = 428
    phrase = "Precondition Required"


class TooManyRequests(ClientError):
    """429 Too Many Requests."""

    status = 429
    phrase = "Too Many Requests"


class RequestHeaderFieldsTooLarge(ClientError):
    """431 Request Header Fields Too Large."""

    status = 431
    phrase = "Request Header Fields Too Large"


class UnavailableForLegalReasons(ClientError):
    """451 Unavailable For Legal Reasons."""

    status = 451
    phrase = "Unavailable For Legal Reasons"


class NotImplementedByServer(ServerError):
    """501 Not Implemented."""

    status = 501
    phrase = "Not Implemented"


class BadGateway(ServerError):
    """502 Bad Gateway."""

    status = 502
    phrase = "Bad Gateway"


class ServiceUnavailable(ServerError):
    """503 Service Unavailable."""

    status = 503
    phrase = "Service Unavailable"


class GatewayTimeout(ServerError):
    """504 Gateway Timeout."""

    status = 504
    phrase = "Gateway Timeout"


class VersionNotSupported(ServerError):
    """505 HTTP Version Not Supported."""

    status = 505
    phrase = "HTTP Version Not Supported"


class InsufficientStorage(ServerError):
    """507 Insufficient Storage."""

    status = 507
    phrase = "Insufficient Storage"


class LoopDetected(ServerError):
    """508 Loop Detected."""

    status = 508
    phrase = "Loop Detected"


class NetworkAuthenticationRequired(ServerError):
    """511 Network Authentication Required."""

    status = 511
    phrase = "Network Authentication Required"


class MovedPermanently(Redirect):
    """301 Moved Permanently."""

    status = 301
    phrase = "Moved Permanently"


class Found(Redirect):
    """302 Found."""

    status = 302
    phrase = "Found"


class SeeOther(Redirect):
    """303 See Other."""

    status = 303
    phrase = "See Other"


class TemporaryRedirect(Redirect):
    """307 Temporary Redirect."""

    status = 307
    phrase = "Temporary Redirect"


class PermanentRedirect(Redirect):
    """308 Permanent Redirect."""

    status = 308
    phrase = "Permanent Redirect"


def _tree(cls: type[HttpError]) -> list[type[HttpError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in _tree(child))]


_PHRASES = {cls.status: cls.phrase for cls in reversed(_tree(HttpError))}


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status, `Unknown` for an unregistered one."""
    if status in _PHRASES:
        return _PHRASES[status]
    known = HTTPStatus._value2member_map_.get(status)
    return known.phrase if isinstance(known, HTTPStatus) else "Unknown"
