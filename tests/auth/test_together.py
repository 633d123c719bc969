"""Several ways to prove who one is, and what stands beside them."""

from typing import Any

from tests.auth.accounts import SECRET, basic, bearer, cookies, csrf, log_in, make_account, told
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, AccountKey
from utilmeta.core import api, auth
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.request import var

SEEN: dict[str, tuple[str, Any]] = {}


def test_first_credentials_that_are_right_count(serve: Serve, backend: str) -> None:
    token, keys = JsonWebToken(SECRET), APIKey(AccountKey)
    users = auth.User(Account, authentication=[token, keys, CacheSession(), BasicAuth()])
    ann, eve = make_account(), make_account("eve")
    client = serve(account_api(users))
    right = bearer(token.issue(users, ann).access_token)
    _, key = keys.create(eve)
    answers = {
        "none": client.get("/me"),
        "token": client.get("/me", headers=right),
        "key": client.get("/me", headers={"X-API-Key": key}),
        "both": client.get("/me", headers={**right, "X-API-Key": key}),
        "wrong token, right key": client.get("/me", headers={**bearer("x"), "X-API-Key": key}),
        "basic": client.get("/me", headers=basic("ann")),
        "wrong basic": client.get("/me", headers=basic("ann", "x")),
        "wrong token": client.get("/me", headers=bearer("x")),
        "maybe, wrong token": client.get("/maybe", headers=bearer("x")),
        "all wrong": client.get(
            "/me", headers={**bearer("x"), "X-API-Key": "x.y", **cookies(sessionid="a" * 32)}
        ),
    }
    texts = {name: answer.text for name, answer in answers.items() if answer.status_code == 200}
    assert texts == {
        "token": "ann",
        "key": "eve",
        "both": "ann",
        "wrong token, right key": "eve",
        "basic": "ann",
        "maybe, wrong token": "nobody",
    }
    refused = {name: answer for name, answer in answers.items() if answer.status_code == 401}
    assert set(refused) == {"none", "wrong token", "wrong basic", "all wrong"}
    rest = 'Api-Key, Basic realm="api", charset="UTF-8"'
    assert refused["none"].headers["www-authenticate"] == f"Bearer, {rest}"
    wrong = f'Bearer error="invalid_token", {rest}'
    assert refused["wrong token"].headers["www-authenticate"] == wrong
    assert refused["all wrong"].headers["www-authenticate"] == wrong
    vary = {item.strip() for item in answers["token"].headers["vary"].split(",")}
    assert vary >= {"Authorization", "X-API-Key", "Cookie"}
    other, first = SEEN.setdefault("first", (backend, {k: told(v) for k, v in answers.items()}))
    assert {k: told(v) for k, v in answers.items()} == first, other


def test_login_gives_all_that_can_be_given_and_logout_takes_it(serve: Serve) -> None:
    token = JsonWebToken(SECRET, user_token_field="token", revocation="default")
    users = auth.User(Account, authentication=[CacheSession(), token])

    class RootAPI(account_api(users)):  # type: ignore[misc]
        @api.post
        def enter(self) -> str:
            user = Account.objects.get()
            users.login_user(self.request, user)
            return str(user.token)

    make_account()
    client = serve(RootAPI)
    given = client.post("/enter").text
    assert client.get("/me").text == "ann"
    session = cookies(sessionid=client.cookies["sessionid"])
    both = {**csrf(client), **bearer(given)}
    assert client.post("/logout", headers=both).status_code == 204
    client.cookies.clear()
    assert client.get("/me", headers=bearer(given)).status_code == 401
    assert client.get("/me", headers=session).status_code == 401


def test_login_without_a_way_that_gives_credentials_says_so(serve: Serve) -> None:
    make_account()
    client = serve(account_api(auth.User(Account, authentication=BasicAuth())))
    assert log_in(client).status_code == 500
    assert log_in(client, password="wrong").text == "no"


def test_kept_answer_is_for_those_only_who_could_have_had_it_made(serve: Serve) -> None:
    users = auth.User(Account, authentication=BasicAuth(), scopes_field="scopes")
    ran = []

    class OnceAPI(api.API):
        @api.Idempotency()
        def post(self, user: Account = users) -> str:
            ran.append(user.username)
            return f"{user.username} {len(ran)}"

        @api.Idempotency()
        @auth.Require("note.write", user=users)
        @api.post
        def ruled(self) -> str:
            ran.append("ruled")
            return f"{len(ran)}"

    ann = make_account(scopes=["note.write"])
    make_account("eve")
    client = serve(OnceAPI)
    key = {"Idempotency-Key": "k"}
    mine = {**key, **basic("ann")}
    assert [client.post("/", headers=mine).text for _ in range(2)] == ["ann 1"] * 2
    assert client.post("/", headers=key).status_code == 401
    assert client.post("/", headers={**key, **basic("ann", "wrong")}).status_code == 401
    assert client.post("/", headers={**key, **basic("eve")}).text == "eve 2"
    assert [client.post("/ruled", headers=mine).text for _ in range(2)] == ["3", "3"]
    assert client.post("/ruled", headers={**key, **basic("eve")}).status_code == 403
    assert client.post("/ruled", headers=key).status_code == 401
    # What was allowed once and is so no more.
    Account.objects.filter(pk=ann.pk).update(scopes=[])
    assert client.post("/ruled", headers=mine).status_code == 403
    Account.objects.filter(pk=ann.pk).update(is_active=False)
    assert client.post("/", headers=mine).status_code == 401
    assert ran == ["ann", "eve", "ruled"]


def test_kept_answer_is_for_those_only_whom_a_hook_lets_in(serve: Serve) -> None:
    class HookedAPI(api.API):
        @api.before("*")
        def find(self) -> None:
            user = Account.objects.filter(username=self.request.headers.get("x-name")).first()
            if user is not None:
                var.user.set(self.request, user)

        @api.Idempotency()
        @auth.Require(auth.is_authenticated)
        def post(self) -> str:
            return "done"

    make_account()
    client = serve(HookedAPI)
    key = {"Idempotency-Key": "k"}
    assert client.post("/", headers={**key, "X-Name": "ann"}).text == "done"
    assert client.post("/", headers=key).status_code == 401


def test_rate_limit_of_users_counts_each_alone(serve: Serve) -> None:
    users = auth.User(Account, authentication=BasicAuth())

    class LimitedAPI(api.API):
        @api.RateLimit("2/hour", key="user")
        def get(self, user: Account = users) -> str:
            return user.username

    make_account()
    make_account("eve")
    client = serve(LimitedAPI)
    codes = [client.get("/", headers=basic("ann")).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert client.get("/", headers=basic("eve")).status_code == 200
    assert [client.get("/").status_code for _ in range(3)] == [401] * 3
