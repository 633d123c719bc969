"""Django's entrance: what a project adds is honoured, and endpoints see Django's own request."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import request_finished, request_started
from django.http import HttpResponse
from django.test import override_settings
from django.urls import clear_url_caches, get_resolver, include, path, re_path, reverse

from tests.server.entering import Act, Entered, entered

KINDS = ("django", "django-asgi")
SEEN: list[str] = []


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    SEEN.clear()
    with django_db_blocker.unblock():
        yield


def see(name: str) -> None:
    SEEN.append(name)


def middleware(get_response: Any) -> Any:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction

    if not iscoroutinefunction(get_response):

        def layer(request: Any) -> Any:
            see("middleware")
            return get_response(request)

        return layer

    async def alayer(request: Any) -> Any:
        see("middleware")
        return await get_response(request)

    return markcoroutinefunction(alayer)


middleware.async_capable = True  # type: ignore[attr-defined]


def both(name: str, use: Callable[[Entered], Any], **settings: Any) -> list[Any]:
    """Return what comes of a use by the entrance, and through Django."""
    outcomes = []
    for is_closed in (False, True):
        with entered(name, settings=settings) as service:
            service.get("/api/hello")
            if is_closed:
                service.close_entrance()
            outcomes.append(use(service))
    return outcomes


def patterns() -> list[Any]:
    found: list[Any] = get_resolver().url_patterns
    return found


def own(_request: Any, **_kwargs: Any) -> HttpResponse:
    return HttpResponse("own")


@pytest.mark.parametrize("name", KINDS)
def test_plain_requests_do_not_reach_django(name: str, monkeypatch: pytest.MonkeyPatch):
    from django.core.handlers.base import BaseHandler

    def fail(*_args: object) -> None:
        raise AssertionError("Django's handler was called")

    with entered(name) as service:
        assert service.reason is None
        monkeypatch.setattr(BaseHandler, "get_response", fail)
        monkeypatch.setattr(BaseHandler, "get_response_async", fail)
        assert service.get("/api/hello").body == b"world"


@pytest.mark.parametrize("name", KINDS)
def test_own_middleware_is_called(name: str):
    with entered(name, settings={"MIDDLEWARE": [f"{__name__}.middleware"]}) as service:
        service.get("/api/hello")
    assert SEEN == ["middleware"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_known_middleware_adds_the_same_headers(name: str, scheme: str):
    from utilmeta.core.server.inprocess import Sent

    given = {
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        "SECURE_HSTS_SECONDS": 60,
        "SECURE_REFERRER_POLICY": "same-origin",
    }

    def use(service: Entered) -> Any:
        assert service.name == name
        sent = Sent(method="GET", target="/api/act", headers=[("host", "localhost")], scheme=scheme)
        answer = service.send(sent)
        return answer.status, sorted((key.lower(), value) for key, value in answer.headers)

    Act.do = staticmethod(lambda _r: "act")
    first, second = both(name, use, **given)
    assert first == second
    assert ("x-frame-options", "DENY") in second[1]
    assert any(key == "strict-transport-security" for key, _ in second[1]) == (scheme == "https")


@pytest.mark.parametrize("name", KINDS)
def test_repeated_headers_are_the_same(name: str):
    first, second = both(name, lambda service: service.get("/api/doubled").headers)
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("signal", [request_started, request_finished])
def test_receivers_of_signals_are_called_while_connected(name: str, signal: Any):
    with entered(name) as service:
        service.get("/api/hello")

        def receive(**_told: Any) -> None:
            see("signal")

        signal.connect(receive)
        try:
            service.get("/api/hello")
        finally:
            signal.disconnect(receive)
        service.get("/api/hello")
        assert SEEN == ["signal"]
        assert service.reason is None


OVERLAPS: dict[str, Callable[[], Any]] = {
    "path": lambda: path("api/hello", own),
    "variable": lambda: path("<slug:a>/hello", own),
    "regex": lambda: re_path(r"^api/h", own),
    "include": lambda: path("", include([path("api/hello", own)])),
    "include deeper": lambda: path("api/", include([path("<name>", own)])),
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("make", OVERLAPS.values(), ids=OVERLAPS.keys())
@pytest.mark.parametrize("is_late", [False, True])
def test_own_patterns_before_ours_win(name: str, make: Callable[[], Any], is_late: bool):
    with entered(name) as service:
        if is_late:
            assert service.get("/api/hello").body == b"world"
        patterns().insert(0, make())
        clear_url_caches()
        assert service.get("/api/hello").body == b"own"


@pytest.mark.parametrize("name", KINDS)
def test_patterns_that_an_included_list_gains_win(name: str):
    included: list[Any] = [path("other", own)]
    with entered(name) as service:
        patterns().insert(0, path("", include(included)))
        assert service.get("/api/hello").body == b"world"
        included.append(path("api/hello", own))
        assert service.get("/api/hello").body == b"own"


@pytest.mark.parametrize("middleware", [[], ["django.middleware.common.CommonMiddleware"]])
@pytest.mark.parametrize("name", KINDS)
def test_a_pattern_at_the_path_of_a_probe_wins(name: str, middleware: list[str]):
    with entered(name, settings={"MIDDLEWARE": middleware}) as service:
        assert service.get("/healthz").body == b'{"status":"alive"}'
        patterns().insert(0, path("healthz", own))
        clear_url_caches()
        assert service.get("/healthz").body == b"own"
        assert service.get("/api/hello").body == b"world"


@pytest.mark.parametrize("name", KINDS)
def test_another_urlconf_is_honoured(name: str):
    urlconf: Any = ModuleType("another_urls")
    urlconf.urlpatterns = [path("api/hello", own)]

    def use(service: Entered) -> Any:
        with override_settings(ROOT_URLCONF=urlconf):
            return service.get("/api/hello").body

    assert both(name, use) == [b"own", b"own"]


class ClosedCache(LocMemCache):
    def close(self, **_kwargs: Any) -> None:
        see("closed")


@pytest.mark.parametrize("name", KINDS)
def test_caches_are_closed(name: str):
    cache = {"default": {"BACKEND": f"{__name__}.ClosedCache"}}

    def act(_request: Any) -> str:
        from django.core.cache import cache as used

        return str(used.get("x"))

    def use(service: Entered) -> bool:
        SEEN.clear()
        Act.do = staticmethod(act)
        service.get("/api/act")
        return "closed" in SEEN

    first, second = both(name, use, CACHES=cache)
    assert first == second


NATIVE: dict[str, Callable[[Any], Any]] = {
    "facts": lambda r: f"{r.adaptor.path} {r.adaptor.META['HTTP_X_A']} {r.adaptor.headers['X-A']}",
    "resolver_match": lambda r: str(r.adaptor.resolver_match.url_name),
    "query": lambda r: str(r.adaptor.GET.dict()),
    "absolute": lambda r: r.adaptor.build_absolute_uri(),
    "reverse": lambda _r: reverse("utilmeta-api", args=["/x"]),
    "encoding": lambda r: r.adaptor.path_info,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("act", NATIVE.values(), ids=NATIVE.keys())
def test_djangos_request_is_as_without_the_entrance(name: str, act: Callable[[Any], Any]):
    Act.do = staticmethod(act)
    first, second = both(name, lambda service: service.get("/api/act?q=1", [("x-a", "b")]))
    assert first == second
    assert first.status.startswith("200")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("target", ["/api/act", "/api/unread"])
def test_djangos_request_has_the_body(name: str, target: str):
    Act.do = staticmethod(lambda r: r.adaptor.body.decode())
    first, second = both(name, lambda service: service.call("POST", target, body=b"abc").body)
    if target == "/api/unread":
        assert first == second == b"abc"
    else:
        assert b"abc" in first


def test_script_name_of_one_request_does_not_stay_for_the_next():
    Act.do = staticmethod(lambda _r: reverse("utilmeta-api", args=["/x"]))

    def use(service: Entered) -> Any:
        below = service.get("/api/act", SCRIPT_NAME="/sub").body
        return below, service.get("/api/act").body

    first, second = both("django", use)
    assert second == (b"/sub/api/x", b"/api/x")
    assert first == second


def test_urlconf_of_one_request_does_not_stay_for_the_next():
    from django.urls import get_urlconf, set_urlconf

    Act.do = staticmethod(lambda _r: set_urlconf("elsewhere") or "set")

    def use(service: Entered) -> Any:
        service.get("/api/act")
        Act.do = staticmethod(lambda _r: str(get_urlconf() == "elsewhere"))
        return service.get("/api/act").body

    first = both("django", use)[0]
    set_urlconf(None)
    assert first == b"False"


@pytest.mark.parametrize("is_late", [False, True])
def test_proxy_header_is_honoured(is_late: bool):
    Act.do = staticmethod(lambda r: str(r.adaptor.is_secure()))
    given = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_S", "on")}
    with entered("django", settings={} if is_late else given) as service:
        service.get("/api/hello")
        with override_settings(**given):
            assert service.get("/api/act", [("x-s", "on")]).body == b"True"


def test_atomic_requests_close_the_entrance(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(django_settings.DATABASES["default"], "ATOMIC_REQUESTS", True)
    with entered("django") as service:
        assert "ATOMIC_REQUESTS" in str(service.reason)


def ascope(method: str, target: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": method,
        "scheme": "http",
        "root_path": "",
        "path": target,
        "raw_path": target.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }


async def talk(app: Any, scope: Any, messages: list[Any], *, gone_after: float = 5) -> list[Any]:
    answered: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await asyncio.sleep(gone_after)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answered.append(message)

    await app(scope, receive, send)
    return answered


def test_body_without_a_length_arrives_as_in_http_2():
    messages = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"c", "more_body": False},
    ]
    scope = ascope("POST", "/api/echo", [])
    first, second = both(
        "django-asgi",
        lambda service: service.loop.run(talk(service.app, scope, messages[:])),
    )
    assert second[1]["body"] == b"abc"
    assert first[1]["body"] == second[1]["body"]


@pytest.mark.parametrize("seconds", [0.02, 0.3])
def test_client_that_goes_away_cancels_the_endpoint(seconds: float):
    async def wait() -> str:
        try:
            await asyncio.sleep(1.5)
        except asyncio.CancelledError:
            see("cancelled")
            raise
        see("done")
        return "done"

    def use(service: Entered) -> Any:
        Act.do = staticmethod(lambda _r: wait())
        SEEN.clear()
        scope = ascope("GET", "/api/async-act", [])
        first = [{"type": "http.request", "body": b"", "more_body": False}]
        answered = service.loop.run(talk(service.app, scope, first, gone_after=seconds))
        return SEEN[:], answered

    first, second = both("django-asgi", use)
    assert second == (["cancelled"], [])
    assert first == second


@pytest.mark.parametrize("size", [2_621_440, 2_621_441, 8_000_000])
def test_long_bodies_arrive_whole(size: int):
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    first, second = both(
        "django-asgi", lambda service: service.call("POST", "/api/echo", body=body)
    )
    assert first == second
    assert len(first.body) == size or first.status == "413"


def test_errors_are_logged_once(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG, "django.request"):
        both("django", lambda service: service.get("/api/absent"))
    assert not [record for record in caplog.records if record.name == "django.request"]
