"""Errors as answers: RFC 9457 problem details."""

from collections.abc import Mapping, Sequence

import msgspec

from utilmeta.core.response.raw import RawResponse
from utilmeta.core.response.response import check_header
from utilmeta.utils.exceptions import HttpError, Redirect
from utilmeta.utils.exceptions.http import phrase_of

PROBLEM = "application/problem+json"


def problem(
    status: int,
    detail: str | None = None,
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, object]] = (),
) -> RawResponse:
    """Return a problem-details response.

    Source: RFC 9457 section 3.1; `code` and `errors` are extension members.

    Args:
        status: the HTTP status.
        detail: what went wrong this time; left out when it only repeats the title.
        code: a machine-readable word.
        headers: further header fields.
        errors: one mapping per fault.
    """
    title = phrase_of(status)
    members: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    if detail and detail != title:
        members["detail"] = detail
    if code is not None:
        members["code"] = code
    if errors:
        members["errors"] = list(errors)
    body = _encode(members)
    fields = [("content-type", PROBLEM), ("content-length", str(len(body)))]
    fields += [(name.lower(), check_header(name, value)) for name, value in (headers or {}).items()]
    return RawResponse(status, fields, body)


def from_error(error: HttpError) -> RawResponse:
    """Return the answer that an `HttpError` stands for."""
    if isinstance(error, Redirect):
        fields = [
            (name.lower(), check_header(name, value)) for name, value in error.headers.items()
        ]
        return RawResponse(error.status_code, [*fields, ("content-length", "0")])
    return problem(
        error.status_code,
        error.message,
        code=error.code,
        headers=error.headers,
        errors=error.errors,
    )


_encode = msgspec.json.Encoder(enc_hook=repr).encode
