"""Guessing passwords, many at a time and under many names."""

import threading
from typing import Any

import pytest

from tests.auth.accounts import basic, bearer, log_in, make_account
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.hashers import COUNTING, SLOW, CountingHasher, SlowHasher
from tests.auth.project.models import Account
from tests.clocks import stop_clock_of_logins
from utilmeta.conf import Preference
from utilmeta.core import auth
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.session.cache import CacheSession


@pytest.fixture(autouse=True)
def clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no hour begin in a test."""
    stop_clock_of_logins(monkeypatch)


@pytest.fixture(params=[None, "default"], ids=["process", "cache"])
def users(request: pytest.FixtureRequest) -> Any:
    """Users of which a name may fail three times an hour, and an address thirty times."""
    return auth.User(
        Account,
        authentication=[CacheSession(), BasicAuth()],
        throttle="3/hour",
        throttle_cache=request.param,
    )


def test_guessing_is_refused_before_anything_is_hashed(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users), settings={"PASSWORD_HASHERS": [COUNTING]})
    for _ in range(3):
        assert log_in(client, password="wrong").status_code == 200
    CountingHasher.calls.clear()
    for password in ("wrong", "secret-word"):
        answer = log_in(client, password=password)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 3601
        answer = client.get("/me", headers=basic("ann", password))
        assert answer.status_code == 429
        assert "retry-after" in answer.headers
    assert CountingHasher.calls == []
    # Another's name at the same address is not locked.
    make_account("eve")
    assert log_in(client, "eve").text == "yes"


def test_guessing_does_not_lock_the_owner_out_of_another_address(serve: Serve, users: Any) -> None:
    make_account()
    eve = serve(account_api(users), client={"client": ("192.0.2.66", 1)})
    for _ in range(4):
        answer = log_in(eve, password="wrong")
    assert answer.status_code == 429
    from utilmeta.testing import Client

    with Client(eve.service, client=("192.0.2.1", 1)) as ann:
        assert log_in(ann).text == "yes"


def test_right_passwords_are_not_counted(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users))
    for _ in range(8):
        assert log_in(client).text == "yes"
        assert client.get("/me", headers=basic("ann")).text == "ann"


def test_guessing_many_names_from_one_address_is_refused(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users))
    statuses = [log_in(client, f"name-{n}", "wrong").status_code for n in range(31)]
    assert statuses == [200] * 30 + [429]
    assert log_in(client).status_code == 429


@pytest.mark.parametrize("name", ["ANN", " ann", "ａｎｎ", "Ann "])
def test_guessing_under_another_spelling_counts_for_the_same_name(
    serve: Serve, users: Any, name: str
) -> None:
    make_account()
    client = serve(account_api(users))
    for _ in range(3):
        log_in(client, name, "wrong")
    assert log_in(client, "ann").status_code == 429


def test_guessing_from_addresses_that_a_client_makes_up_does_not_help(
    serve: Serve, users: Any
) -> None:
    make_account()
    client = serve(account_api(users))
    statuses = []
    for number in range(4):
        client.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        client.headers["Forwarded"] = f"for=192.0.2.{number}"
        statuses.append(log_in(client, password="wrong").status_code)
    assert statuses == [200, 200, 200, 429]


def test_guessing_behind_a_proxy_counts_for_the_client_it_names(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users), configs=[Preference(trusted_proxies=["127.0.0.1"])])
    statuses = []
    for number in range(4):
        # The proxy appends; what stands before is the client's own.
        client.headers["X-Forwarded-For"] = f"198.51.100.{number}, 192.0.2.1"
        statuses.append(log_in(client, password="wrong").status_code)
    assert statuses == [200, 200, 200, 429]
    client.headers["X-Forwarded-For"] = "192.0.2.2"
    assert log_in(client).text == "yes"


def test_guessing_many_at_once_is_counted_before_it_is_known_to_fail(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=CacheSession(), throttle="3/hour")
    client = serve(account_api(users), settings={"PASSWORD_HASHERS": [COUNTING]})
    CountingHasher.calls.clear()
    statuses: list[int] = []

    def guess() -> None:
        statuses.append(log_in(client, password="wrong").status_code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 3 + [429] * 9
    assert len(CountingHasher.calls) == 3


def test_bearer_word_does_not_count_as_a_guess(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users))
    for _ in range(5):
        assert client.get("/me", headers=bearer("none")).status_code == 401
    assert log_in(client).text == "yes"


def test_guessing_is_not_let_in_while_the_cache_that_counts_is_down(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=[BasicAuth()], throttle_cache="default")
    down = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
    client = serve(account_api(users), settings={"CACHES": {"default": down}})
    for answer in (log_in(client), client.get("/me", headers=basic("ann"))):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_right_passwords_of_many_requests_at_once_are_not_counted(serve: Serve, users: Any) -> None:
    make_account()
    client = serve(account_api(users), settings={"PASSWORD_HASHERS": [SLOW]})
    SlowHasher.meeting.reset()
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(client.get("/me", headers=basic("ann")).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
