"""The answer to what a rule refuses: the log tells which, and in development the answer can."""

import logging
from typing import NoReturn

from utilmeta.core.api.errors import shown
from utilmeta.core.auth.base import quoted
from utilmeta.core.request import Request, var
from utilmeta.utils.exceptions import PermissionDenied, Unauthorized

logger = logging.getLogger("utilmeta.auth")

# Where a request keeps whose users were asked for, and what its credentials say.
USERS = "utilmeta users"
IDENTITY = "utilmeta identity"


def refuse(
    request: Request,
    rule: str,
    *,
    message: str | None = None,
    scopes: tuple[str, ...] = (),
) -> NoReturn:
    """Refuse a request.

    Args:
        request: the request.
        rule: name of the rule that does not hold.
        message: for the client.
        scopes: what is missing, for a bearer token's challenge.

    Raises:
        Unauthorized: nobody has sent it; who it is might help.
        PermissionDenied: somebody has.
    """
    user = var.user_id.get(request)
    logger.warning("%s: refused by %s for user %s", shown(request), rule, user)
    errors = [{"rule": rule}] if request.rules.explains else []
    users = request.context.get(USERS)
    challenge = "Bearer" if users is None else users.challenge
    if var.user.get(request) is None:
        if users is not None:
            raise users.refusal(request)
        raise Unauthorized("Authentication is required", challenge=challenge, errors=errors)
    headers = {}
    if scopes and challenge.startswith("Bearer"):
        # RFC 6750 section 3.1
        value = f'Bearer error="insufficient_scope", scope={quoted(" ".join(scopes))}'
        headers = {"WWW-Authenticate": value}
    raise PermissionDenied(message, headers=headers, errors=errors)


def printable(text: str) -> str:
    """Return a text as log lines show it, with nothing in it that breaks a line."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
