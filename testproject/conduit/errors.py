"""Errors in the form that RealWorld gives them: what is wrong, by the name of what it is about."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from utilmeta.core.api import Error
from utilmeta.core.response import Response
from utilmeta.utils import exceptions


class Errors(BaseModel):
    """What is wrong with a request."""

    errors: dict[str, list[str]] = Field(examples=[{"title": ["can't be blank"]}])


def explain(error: Error) -> Response[Errors]:
    """Return the answer to a request that is at fault.

    Faults of what was sent are 422, what is taken already is 409. All other errors say in their
    message what they are about, and what is wrong with it: `article not found`.
    """
    exception: Any = error.exception
    status, message = error.status, error.message
    found: dict[str, list[str]] = {}
    if isinstance(exception, exceptions.BadRequest):
        is_taken = any(fault["code"] == "unique" for fault in exception.errors)
        status = 409 if is_taken else 422
        for fault in exception.errors:
            found.setdefault(_name(fault), []).append(_text(fault))
    elif status == 401 and message != "credentials invalid":
        is_sent = "authorization" in error.request.headers
        found["token"] = ["is invalid" if is_sent else "is missing"]
    elif status in {401, 403, 404, 409, 422} and message != exception.phrase:
        name, _, text = message.partition(" ")
        found[name] = [text]
    errors = found or {"request": [message]}
    return Response(Errors(errors=errors), status=status, headers=exception.headers)


def _name(fault: Mapping[str, Any]) -> str:
    """Return the field that a fault is about: `email` of `body.user.email`."""
    place = fault["place"].split(".")
    return str(place[2] if place[2:] else place[-1])


def _text(fault: Mapping[str, Any]) -> str:
    if fault["code"] == "unique":
        return "has already been taken"
    got = fault.get("got", "something")
    is_blank = got is None or (isinstance(got, str) and not got.strip())
    # Secrets are not told, and no text has another least length than 1.
    if is_blank or fault["code"] in {"missing", "string_too_short"}:
        return "can't be blank"
    return str(fault["expected"]).removeprefix("Value error, ")
