"""Sessions as endpoints use them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.auth.accounts import cookies, csrf, log_in, make_account, set_cookies
from tests.auth.apis import account_api
from tests.auth.conftest import Serve
from tests.auth.project.models import Account, AccountSession
from utilmeta.conf.http import Cookie
from utilmeta.core import api, auth, request
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.auth.session.cached_db import CachedDBSession
from utilmeta.core.auth.session.db import DBSession
from utilmeta.utils.exceptions import Conflict

KINDS: dict[str, Callable[..., Any]] = {
    "cache": CacheSession,
    "db": lambda **options: DBSession(AccountSession, **options),
    "cached-db": lambda **options: CachedDBSession(AccountSession, **options),
}


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return KINDS[request.param]


def visit_api(sessions: Any) -> type[api.API]:
    """Return an API that does with a session what can be done with one."""

    class Visit(sessions.schema):  # type: ignore[misc, name-defined]
        count: int = 0
        name: str

    class VisitAPI(api.API):
        def get(self, session: Visit) -> int:
            return session.count

        def post(self, session: Visit, status: int = 200) -> str:
            session.count += 1
            if status == 500:
                raise RuntimeError("the server failed")
            if status == 409:
                raise Conflict
            return str(session.count)

        @api.get
        def look(self, session: Visit) -> str:
            return ",".join(sorted(session)) + f" {session.modified} {'count' in session}"

        @api.get
        def missing(self, session: Visit) -> str:
            return session.name

        @api.post
        def typed(self, session: Visit, value: str = request.BodyParam) -> None:
            session.count = value

    return VisitAPI


def change_api(sessions: Any) -> type[api.API]:
    """Return an API that does with a session what its mapping can."""

    class ChangeAPI(visit_api(sessions)):  # type: ignore[misc]
        @api.post
        def filled(self, session: sessions.schema) -> list[Any]:
            session.update({"a": 1, "b": 2})
            return [session.pop("a"), session.pop("a", None), dict(session)]

        @api.post
        def flushed(self, session: sessions.schema) -> None:
            session.flush()

        @api.post
        def cycled(self, session: sessions.schema) -> None:
            session.cycle_key()

        @api.post
        def deep(self, session: sessions.schema, tell: bool = False) -> int:
            items = session.setdefault("items", [])
            items.append(1)
            if tell:
                session.modified = True
            return len(items)

        @api.post
        def until(self, session: sessions.schema, seconds: int = request.BodyParam) -> None:
            session["x"] = 1
            session.set_expiry(seconds)

    return ChangeAPI


def test_members_are_typed_and_kept(serve: Serve, make: Callable[..., Any]) -> None:
    client = serve(change_api(make()))
    assert client.get("/").json() == 0
    # Who changes nothing gets no session.
    assert "sessionid" not in client.cookies
    assert [client.post("/").text for _ in range(3)] == ["1", "2", "3"]
    assert client.get("/").json() == 3
    assert client.get("/look").text == "count False True"
    assert client.get("/missing").status_code == 500
    # What does not fit is the program's fault, and nothing of it is kept.
    assert client.post("/typed", json={"value": "many"}).status_code == 500
    assert client.get("/").json() == 3
    assert client.post("/filled").json() == [1, None, {"count": 3, "b": 2}]


def test_session_is_saved_with_refusals_and_not_with_failures(
    serve: Serve, make: Callable[..., Any]
) -> None:
    client = serve(change_api(make()))
    assert client.post("/?status=500").status_code == 500
    assert "sessionid" not in client.cookies
    assert client.post("/").text == "1"
    assert client.post("/?status=500").status_code == 500
    assert client.get("/").json() == 1
    assert client.post("/?status=409").status_code == 409
    assert client.get("/").json() == 2


def test_session_is_saved_only_when_it_was_changed(serve: Serve, make: Callable[..., Any]) -> None:
    client = serve(change_api(make()))
    assert "sessionid" in set_cookies(client.post("/"))
    assert "set-cookie" not in client.get("/").headers
    assert client.post("/deep").json() == 1
    assert [client.post("/deep").json() for _ in range(2)] == [2, 2]
    assert client.post("/deep?tell=true").json() == 2
    assert client.post("/deep").json() == 3


def test_session_is_saved_with_every_request_that_asks_for_it_when_told_so(
    serve: Serve, make: Callable[..., Any]
) -> None:
    client = serve(change_api(make(save_every_request=True)))
    assert "set-cookie" not in client.get("/").headers
    client.post("/")
    assert "max-age=1209600" in set_cookies(client.get("/"))["sessionid"]


def test_session_cookie_goes_with_the_browser_when_told_so(
    serve: Serve, make: Callable[..., Any]
) -> None:
    client = serve(change_api(make(expire_at_browser_close=True)))
    given = set_cookies(client.post("/"))["sessionid"]
    assert "max-age" not in given
    assert "expires" not in given


def test_session_says_how_long_it_lasts(serve: Serve, make: Callable[..., Any]) -> None:
    client = serve(change_api(make()))
    given = set_cookies(client.post("/until", json={"seconds": 90}))["sessionid"]
    assert "max-age=90" in given
    assert "max-age" not in set_cookies(client.post("/until", json={"seconds": 0}))["sessionid"]


def test_session_that_ends_is_dead_on_the_server(serve: Serve, make: Callable[..., Any]) -> None:
    client = serve(change_api(make(cookie=Cookie(age=1))))
    client.post("/")
    key = client.cookies["sessionid"]
    client.cookies.clear()
    assert client.get("/", headers=cookies(sessionid=key)).json() == 1
    later(AccountSession, key)
    answer = client.get("/", headers=cookies(sessionid=key))
    assert answer.json() == 0
    # A cookie that stands for nothing is taken from the browser.
    assert "max-age=0" in set_cookies(answer)["sessionid"]


def later(model: Any, key: str) -> None:
    """Let a session's second be over."""
    import time

    time.sleep(1.1)
    rows = model.objects.filter(pk=key)
    assert not rows or rows[0].expire_date < timezone.now()


def test_flushed_session_is_gone_with_its_cookie(serve: Serve, make: Callable[..., Any]) -> None:
    client = serve(change_api(make()))
    client.post("/")
    key = client.cookies["sessionid"]
    answer = client.post("/flushed")
    assert "max-age=0" in set_cookies(answer)["sessionid"]
    client.cookies.clear()
    assert client.get("/", headers=cookies(sessionid=key)).json() == 0


def test_cycled_session_is_the_same_under_another_key(
    serve: Serve, make: Callable[..., Any]
) -> None:
    client = serve(change_api(make()))
    client.post("/")
    key = client.cookies["sessionid"]
    client.post("/cycled")
    assert client.cookies["sessionid"] != key
    assert client.get("/").json() == 1
    client.cookies.clear()
    assert client.get("/", headers=cookies(sessionid=key)).json() == 0


def test_plugin_opens_the_session_for_a_whole_api(serve: Serve, make: Callable[..., Any]) -> None:
    sessions = make()

    @sessions.plugin
    class RootAPI(api.API):
        def post(self) -> None:
            sessions.session_of(self.request)["seen"] = True

        def get(self) -> bool:
            return bool(sessions.session_of(self.request).get("seen"))

    client = serve(RootAPI)
    assert client.get("/").json() is False
    client.post("/")
    assert client.get("/").json() is True
    assert "cookie" in client.get("/").headers["vary"].lower()


def test_rows_tell_whose_a_session_is(serve: Serve) -> None:
    sessions = DBSession(AccountSession)
    users = auth.User(Account, authentication=sessions)
    ann, eve = make_account(), make_account("eve")
    client = serve(account_api(users), client={"client": ("192.0.2.7", 4000)})
    client.headers["User-Agent"] = "x" * 300
    log_in(client)
    row = AccountSession.objects.get()
    assert (row.user_key, row.ip_address, row.user_agent) == (str(ann.pk), "192.0.2.7", "x" * 255)
    made = row.created_at
    assert timezone.now() - made < timedelta(minutes=1)
    client.cookies.clear()
    log_in(client, "eve")
    assert AccountSession.objects.count() == 2
    assert sessions.revoke(ann.pk) == 1
    assert client.get("/me").text == "eve"
    assert sessions.revoke(eve.pk) == 1
    assert client.get("/me").status_code == 401


def test_revoked_sessions_are_gone_from_the_cache_too(serve: Serve) -> None:
    sessions = CachedDBSession(AccountSession)
    ann = make_account()
    client = serve(account_api(auth.User(Account, authentication=sessions)))
    log_in(client)
    assert client.get("/me").text == "ann"
    assert sessions.revoke(ann.pk) == 1
    assert client.get("/me").status_code == 401


def test_row_keeps_what_the_project_put_there_when_a_session_is_saved_again(serve: Serve) -> None:
    sessions = DBSession(AccountSession)
    client = serve(change_api(sessions))
    client.post("/")
    made = timezone.now() - timedelta(days=3)
    AccountSession.objects.update(created_at=made)
    assert client.post("/").text == "2"
    assert AccountSession.objects.get().created_at == made


def test_login_again_by_the_same_user_keeps_the_session(
    serve: Serve, make: Callable[..., Any]
) -> None:
    sessions = make()
    make_account()
    users = auth.User(Account, authentication=sessions)

    class RootAPI(account_api(users)):  # type: ignore[misc]
        @api.post
        def mark(self, session: sessions.schema) -> None:
            session["mark"] = 1

        @api.get
        def marked(self, session: sessions.schema) -> bool:
            return "mark" in session

    client = serve(RootAPI)
    log_in(client)
    client.post("/mark", headers=csrf(client))
    key = client.cookies["sessionid"]
    log_in(client)
    assert client.cookies["sessionid"] != key
    assert client.get("/marked").json() is True
