"""Tokens as forgers make them."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt

from tests.auth.accounts import SECRET, bearer
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account
from utilmeta.core import auth

FAR = 9_999_999_999
OTHER = "fedcba9876543210" * 4
Ask = Callable[[str], int]


def part(value: Any) -> str:
    """Return a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def asker(serve: Serve, method: Any) -> Ask:
    """Start a service with tokens; return what tells the status for one of them."""
    users = auth.User(Account, authentication=method)
    client = serve(account_api(users))

    def ask(token: str) -> int:
        answer = client.get("/me", headers=bearer(token))
        if answer.status_code == 401:
            assert 'error="invalid_' in answer.headers["www-authenticate"]
        return answer.status_code

    return ask


def claims(**values: Any) -> dict[str, Any]:
    """Return what a token says of the only account."""
    return {"_user_id": Account.objects.get().pk, "exp": FAR, **values}


def signed(key: Any = SECRET, algorithm: str = "HS256", **options: Any) -> str:
    """Return a token of the only account."""
    headers = options.pop("headers", None)
    # Not `jwt.encode`, which refuses some of what is sent here.
    payload = json.dumps(claims(**options)).encode()
    return jwt.api_jws.encode(payload, key, algorithm=algorithm, headers=headers)
