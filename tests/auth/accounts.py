"""Accounts, what they send, and what of an answer has to be the same everywhere."""

import base64
from typing import Any

import httpx

from tests.auth.conftest import PASSWORD
from tests.auth.project.models import Account

# 64 bytes, which is enough for all HS algorithms.
SECRET = "0123456789abcdef" * 4
COMPARED = ("content-type", "www-authenticate", "vary", "cache-control", "retry-after", "location")


def make_account(name: str = "ann", **values: Any) -> Account:
    """Return a new account, whose password is the tests' own."""
    given = {"email": f"{name}@example.com", "password": PASSWORD, **values}
    account: Account = Account.objects.create(username=name, **given)
    return account


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    """Return the header that carries name and password."""
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def cookies(**values: str) -> dict[str, str]:
    """Return the header that carries cookies."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in values.items())}


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """Return what of an answer has to be the same on all back ends."""
    headers = {name: answer.headers[name] for name in COMPARED if name in answer.headers}
    return answer.status_code, headers, answer.content


def csrf(client: httpx.Client, name: str = "csrftoken") -> dict[str, str]:
    """Return the header that shows the token of a client's cookie."""
    return {"X-CSRFToken": client.cookies[name]}


def log_in(client: httpx.Client, name: str = "ann", password: str = PASSWORD) -> httpx.Response:
    """Log in through `account_api`, and return the answer."""
    return client.post("/login", json={"name": name, "password": password})


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    """Return the attributes of each cookie that an answer sets, in lower case, by its name."""
    lines = [line.partition("=") for line in answer.headers.get_list("set-cookie")]
    assert len({name for name, _, _ in lines}) == len(lines), lines
    return {name: rest.lower() for name, _, rest in lines}
