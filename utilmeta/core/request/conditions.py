"""Requests on conditions: entity tags, dates, and what they decide."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from utilmeta.core.request.request import Request
from utilmeta.utils.exceptions import PreconditionFailed

# An entity tag (RFC 9110 section 8.8.3), which may hold a comma.
_TAG = re.compile(r'(?:W/)?"[^"]*"')


def http_date(moment: datetime) -> str:
    """Return a moment as header fields have it (RFC 9110 section 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_date(text: str) -> datetime | None:
    """Return the moment of a header field, None when it is malformed."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def matches(header: str, etag: str | None, *, weak: bool) -> bool:
    """Return whether an `If-Match` or `If-None-Match` field names an entity tag.

    Args:
        header: `*`, or tags.
        etag: the current one, with its quotes; None when there is none.
        weak: whether weak tags are compared too (RFC 9110 section 8.8.3.2).
    """
    if header.strip() == "*":
        return True
    if etag is None:
        return False
    tags = _TAG.findall(header)
    if weak:
        return etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}
    return not etag.startswith("W/") and etag in tags


def is_unmodified(request: Request, etag: str | None, modified: datetime | None) -> bool:
    """Return whether a GET or HEAD may be answered 304, as the client has this version.

    Source: RFC 9110 section 13.2.2.
    """
    if request.method not in {"GET", "HEAD"}:
        return False
    known = request.raw.header("if-none-match")
    if known is not None:
        return matches(known, etag, weak=True)
    since = request.raw.header("if-modified-since")
    if since is None or modified is None:
        return False
    moment = parse_date(since)
    return moment is not None and modified.replace(microsecond=0) <= moment


def require_match(
    request: Request, *, etag: str | None = None, modified: datetime | None = None
) -> None:
    """Refuse a request whose conditions the current version does not meet.

    Call it in an endpoint that writes, before it does.

    Args:
        request: the request.
        etag: tag of the current version, with its quotes; None when there is none.
        modified: when the current version was made.

    Raises:
        PreconditionFailed: `If-Match` names other versions, `If-None-Match` names this one, or it
            is newer than `If-Unmodified-Since`.

    Source: RFC 9110 section 13.2.2.
    """
    wanted = request.raw.header("if-match")
    if wanted is not None:
        if not matches(wanted, etag, weak=False):
            raise PreconditionFailed
    elif modified is not None:
        until = request.raw.header("if-unmodified-since")
        moment = parse_date(until) if until is not None else None
        if moment is not None and modified.replace(microsecond=0) > moment:
            raise PreconditionFailed
    unwanted = request.raw.header("if-none-match")
    is_write = request.method not in {"GET", "HEAD"}
    if unwanted is not None and is_write and matches(unwanted, etag, weak=True):
        raise PreconditionFailed
