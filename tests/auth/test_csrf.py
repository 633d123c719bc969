"""Requests that another site has a browser send."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.auth.accounts import SECRET, basic, bearer, csrf, log_in, make_account, set_cookies
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, AccountKey
from utilmeta.conf.http import Cookie
from utilmeta.core import api, auth, request
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.cache import CacheSession

KINDS: dict[str, Callable[[], Any]] = {
    "session": CacheSession,
    "jwt": lambda: JsonWebToken(SECRET, cookie=Cookie(name="token")),
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
REFUSED = {
    "absent": {},
    "empty": {"X-CSRFToken": ""},
    "wrong": {"X-CSRFToken": "w" * 32},
    "malformed": {"X-CSRFToken": "<script>"},
    "long": {"X-CSRFToken": "w" * 3000},
}


@pytest.fixture(params=KINDS)
def method(request: pytest.FixtureRequest) -> Any:
    return KINDS[request.param]()


def site_api(users: Any, seen: list[str]) -> type[api.API]:
    """Return an API that notes what it was made to do."""

    class SiteAPI(api.API):
        @api.post
        def login(self, name: str = request.BodyParam, password: str = request.BodyParam) -> str:
            return "yes" if users.login(self.request, name, password) else "no"

        def get(self, user: Account = users) -> str:
            return user.username

        def post(self, user: Account = users) -> None:
            seen.append("POST")

        def put(self, user: Account = users) -> None:
            seen.append("PUT")

        def patch(self, user: Account = users) -> None:
            seen.append("PATCH")

        def delete(self, user: Account = users) -> None:
            seen.append("DELETE")

        @api.post
        def maybe(self, user: Account | None = users) -> str:
            seen.append("maybe")
            return user.username if user else "nobody"

        @api.post
        def form(self, n: int = request.FormParam, user: Account = users) -> int:
            return n

    return SiteAPI


class Site:
    """A service where somebody has logged in with a browser."""

    def __init__(self, client: httpx.Client, seen: list[str]) -> None:
        self.client = client
        self.seen = seen

    def token(self) -> dict[str, str]:
        """Return the header with the right token."""
        return csrf(self.client)


@pytest.fixture
def site(serve: Serve, method: Any) -> Callable[..., Site]:
    def start(**options: Any) -> Site:
        make_account()
        seen: list[str] = []
        users = auth.User(Account, authentication=method)
        client = serve(site_api(users, seen), **options)
        assert log_in(client).text == "yes"
        return Site(client, seen)

    return start


def test_csrf_token_is_given_at_login_and_changed_with_the_next(site: Callable[..., Site]) -> None:
    made = site()
    first = made.client.cookies["csrftoken"]
    given = set_cookies(log_in(made.client))
    assert made.client.cookies["csrftoken"] != first
    assert "csrftoken" in given


def test_csrf_unsafe_methods_without_the_token_are_refused_and_do_nothing(
    site: Callable[..., Site],
) -> None:
    made = site()
    for verb in UNSAFE:
        for name, headers in REFUSED.items():
            answer = made.client.request(verb, "/", headers=headers)
            assert answer.status_code == 403, (verb, name)
            assert answer.json()["code"] == "csrf"
            assert "www-authenticate" not in answer.headers
    # Nor is it carried out as nobody's.
    assert made.client.post("/maybe").status_code == 403
    assert made.seen == []


def test_csrf_unsafe_methods_with_the_token_are_answered(site: Callable[..., Site]) -> None:
    made = site()
    for verb in UNSAFE:
        assert made.client.request(verb, "/", headers=made.token()).status_code == 204
    assert made.seen == list(UNSAFE)


def test_csrf_safe_methods_need_no_token(site: Callable[..., Site]) -> None:
    made = site()
    assert made.client.get("/").text == "ann"
    assert made.client.head("/").status_code == 200
    assert made.client.options("/").status_code in {200, 204}
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert made.client.get("/", headers=evil).text == "ann"


def test_csrf_foreign_origin_is_refused_in_spite_of_the_token(site: Callable[..., Site]) -> None:
    made = site()
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "https://x y"):
        answer = made.client.post("/", headers={**made.token(), "Origin": origin})
        assert answer.status_code == 403, origin
    answer = made.client.post("/", headers={**made.token(), "Origin": "http://localhost"})
    assert answer.status_code == 204
    assert made.seen == ["POST"]


def test_csrf_origins_that_the_settings_trust_are_let_in(site: Callable[..., Site]) -> None:
    made = site(settings={"CSRF_TRUSTED_ORIGINS": ["https://app.example", "https://*.b.example"]})
    for origin, status in {
        "https://app.example": 204,
        "https://x.b.example": 204,
        "http://app.example": 403,
        "https://app.example.evil": 403,
    }.items():
        answer = made.client.post("/", headers={**made.token(), "Origin": origin})
        assert answer.status_code == status, origin


def test_csrf_referer_is_looked_at_on_https_without_an_origin(
    site: Callable[..., Site],
) -> None:
    made = site(client={"base_url": "https://localhost"})
    for referer, status in {
        None: 403,
        "https://localhost/page": 204,
        "https://evil.example/": 403,
        "http://localhost/page": 403,
        "nonsense": 403,
    }.items():
        headers = {} if referer is None else {"Referer": referer}
        answer = made.client.post("/", headers={**made.token(), **headers})
        assert answer.status_code == status, referer


def test_csrf_token_of_a_form_is_taken_and_the_form_is_still_read(
    site: Callable[..., Site],
) -> None:
    made = site()
    token = made.client.cookies["csrftoken"]
    data = {"n": "3", "csrfmiddlewaretoken": token}
    assert made.client.post("/form", data=data).text == "3"
    data["csrfmiddlewaretoken"] = "w" * 32
    assert made.client.post("/form", data=data).status_code == 403
    # JSON that names the field is no form.
    assert made.client.post("/", json={"csrfmiddlewaretoken": token}).status_code == 403


def test_csrf_token_of_a_cookie_alone_proves_nothing(site: Callable[..., Site]) -> None:
    # What a neighbouring subdomain could plant does not match the header that it cannot send.
    made = site()
    made.client.cookies.set("csrftoken", "p" * 32, domain="localhost.local")
    assert made.client.post("/").status_code == 403


def test_csrf_is_not_asked_of_credentials_that_browsers_do_not_send(serve: Serve) -> None:
    account = make_account()
    token = JsonWebToken(SECRET)
    keys = APIKey(AccountKey)
    users = auth.User(Account, authentication=[token, keys, BasicAuth()])
    seen: list[str] = []
    client = serve(site_api(users, seen))
    _, key = keys.create(account)
    evil = {"Origin": "https://evil.example"}
    for headers in (
        bearer(token.issue(users, account).access_token),
        {"X-API-Key": key},
        basic("ann"),
    ):
        for verb in UNSAFE:
            assert client.request(verb, "/", headers={**headers, **evil}).status_code == 204
        assert "set-cookie" not in client.get("/", headers=headers).headers


def test_csrf_bearer_token_beside_a_cookie_needs_none_when_it_counts_first(serve: Serve) -> None:
    account = make_account()
    token = JsonWebToken(SECRET)
    users = auth.User(Account, authentication=[token, CacheSession()])
    client = serve(site_api(users, []))
    log_in(client)
    right = bearer(token.issue(users, account).access_token)
    assert client.post("/", headers=right).status_code == 204
    # A wrong one does not turn the cookie into something that needs no token.
    assert client.post("/", headers=bearer("wrong")).status_code == 403
    assert client.post("/").status_code == 403


def test_csrf_secret_can_be_kept_in_the_session(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=CacheSession())

    class RootAPI(site_api(users, [])):  # type: ignore[misc]
        @api.get
        def token(self, user: Account = users) -> str:
            return str(users.methods[0].session_of(self.request)["_csrftoken"])

    client = serve(RootAPI, settings={"CSRF_USE_SESSIONS": True})
    given = set_cookies(log_in(client))
    assert "csrftoken" not in given
    assert client.post("/").status_code == 403
    token = client.get("/token").text
    assert client.post("/", headers={"X-CSRFToken": token}).status_code == 204


def test_csrf_names_of_the_settings_are_used(serve: Serve) -> None:
    make_account()
    users = auth.User(Account, authentication=CacheSession())
    names = {"CSRF_COOKIE_NAME": "xsrf", "CSRF_HEADER_NAME": "HTTP_X_XSRF"}
    client = serve(site_api(users, []), settings=names)
    log_in(client)
    token = client.cookies["xsrf"]
    assert client.post("/", headers={"X-CSRFToken": token}).status_code == 403
    assert client.post("/", headers={"X-Xsrf": token}).status_code == 204


def test_csrf_of_login_a_foreign_site_cannot_have_the_answer_keep_a_session_of_another(
    serve: Serve,
) -> None:
    # JSON from another site takes a preflight, which a service without CORS does not answer, and
    # a form is not what the endpoint reads.
    make_account()
    client = serve(site_api(auth.User(Account, authentication=CacheSession()), []))
    form = {"name": "ann", "password": "secret-word"}
    for headers in ({}, {"Content-Type": "text/plain"}):
        answer = client.post("/login", content=b"name=ann&password=secret-word", headers=headers)
        assert answer.status_code in {400, 415, 422}
        assert "sessionid" not in client.cookies
    text = {"Content-Type": "text/plain"}
    answer = client.post("/login", content=str(form).replace("'", '"'), headers=text)
    assert answer.status_code in {400, 415}
    preflight = client.options(
        "/login",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert "access-control-allow-origin" not in preflight.headers
