"""Errors as answers: RFC 9457 problem details."""

from collections.abc import Mapping, Sequence

from utilmeta.utils.exceptions.http import phrase_of

PROBLEM = "application/problem+json"


def problem_members(
    status: int,
    detail: str | None = None,
    *,
    code: str | None = None,
    errors: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Return the members of a problem-details object.

    Source: RFC 9457 section 3.1; `code` and `errors` are extension members.

    Args:
        status: the HTTP status.
        detail: what went wrong this time; left out when it only repeats the title.
        code: a machine-readable word.
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
    return members
