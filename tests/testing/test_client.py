"""Clients that call a service in process, on every back end."""

import asyncio
import threading
from contextlib import ExitStack
from typing import Any

import pytest

from tests.testing.services import ASYNC, BACKENDS, service_on
from utilmeta import UtilMeta
from utilmeta.conf import Preference
from utilmeta.core import api, request
from utilmeta.core.file import File
from utilmeta.testing import AsyncClient, Client, override_service
from utilmeta.testing.sockets import WebSocketRefused
from utilmeta.utils.exceptions import ConfigError, NotFound, Unauthorized


class RootAPI(api.API):
    @api.get
    def hello(self, name: str = "world"):
        return {"hello": name}

    @api.post
    def upload(self, file: File = request.BodyParam, note: str = request.BodyParam("")):
        return {"name": file.filename, "size": file.size, "note": note}

    @api.get
    def cookie(self):
        response = self.response("set")
        response.set_cookie("seen", "1")
        return response

    @api.get
    def seen(self, seen: str = request.CookieParam("no")):
        return {"seen": seen, "ip": self.request.ip_address, "url": self.request.url}

    @api.get
    def missing(self):
        raise NotFound("no such thing")


class SocketAPI(RootAPI):
    @api.ws
    async def who(self, socket: api.WebSocket, sid: str = request.CookieParam("none")):
        headers = self.request.headers
        await socket.send(f"{sid} {headers.get('x-a')} {self.request.ip_address}")

    @api.ws
    async def tick(self, socket: api.WebSocket):
        while True:
            await socket.send("tick")

    @api.ws
    async def lane(self, socket: api.WebSocket):
        from asgiref.sync import sync_to_async

        async for _ in socket:
            await socket.send(await sync_to_async(lambda: threading.current_thread().name)())

    @api.before("guarded")
    def guard(self):
        raise Unauthorized("who are you?")

    @api.handle("guarded", Unauthorized)
    def refuse(self, error: api.Error):
        return self.response("by hand", status=418)

    @api.ws
    async def guarded(self, socket: api.WebSocket): ...

    @api.ws
    async def odd(self, socket: api.WebSocket):
        await socket.accept()
        await socket.close(1005)

    @api.ws
    async def echo(self, socket: api.WebSocket[dict[str, Any], Any], loud: bool = False):
        await socket.accept("b" if "b" in socket.subprotocols else None, [("X-Echo", "1")])
        async for message in socket:
            await socket.send({**message, "loud": loud})

    @api.ws
    async def closed(self, socket: api.WebSocket):
        await socket.accept()
        await socket.close(4000, "enough")

    @api.ws
    async def refused(self, socket: api.WebSocket):
        raise NotFound("no such room")


@pytest.mark.parametrize("backend", BACKENDS)
def test_client_calls_a_service_with_its_hooks(backend: str):
    life: list[str] = []
    with service_on(backend, RootAPI, route="/api") as service:
        service.on_startup(lambda: life.append("start"))
        service.on_shutdown(lambda: life.append("stop"))
        with Client() as client:
            answer = client.get("/api/hello", params={"name": "ü"})
            assert (answer.status_code, answer.json()) == (200, {"hello": "ü"})
            sent = client.post("/api/upload", files={"file": ("a.txt", b"abc")}, data={"note": "n"})
            assert sent.json() == {"name": "a.txt", "size": 3, "note": "n"}
            client.get("/api/cookie")
            assert client.get("/api/seen").json() == {
                "seen": "1",
                "ip": "127.0.0.1",
                "url": "http://localhost/api/seen",
            }
            assert client.get("/api/missing").json()["detail"] == "no such thing"
            assert client.head("/api/hello").content == b""
            assert client.options("/api/hello").headers["allow"] == "GET, HEAD, OPTIONS"
            assert life == ["start"]
    assert life == ["start", "stop"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_async_client_calls_a_service(backend: str):
    async def run() -> None:
        async with AsyncClient() as client:
            answers = await asyncio.gather(
                *(client.get("/api/hello", params={"name": str(n)}) for n in range(20))
            )
            assert [answer.json()["hello"] for answer in answers] == [str(n) for n in range(20)]

    with service_on(backend, RootAPI, route="/api"):
        asyncio.run(run())


def test_client_comes_from_the_address_it_is_given():
    with service_on("starlette", RootAPI) as service, Client(service, client=("10.0.0.9", 1)) as c:
        assert c.get("/seen").json()["ip"] == "10.0.0.9"


@pytest.mark.parametrize("backend", ASYNC)
def test_client_opens_websockets(backend: str):
    with service_on(backend, SocketAPI, route="/api"), Client() as client:
        with client.websocket("/api/echo?loud=1", subprotocols=("a", "b")) as socket:
            assert (socket.subprotocol, socket.headers["X-Echo"]) == ("b", "1")
            socket.send_json({"n": 1})
            assert socket.receive_json() == {"n": 1, "loud": True}
            socket.send("[")
            with pytest.raises(api.WebSocketDisconnect) as ended:
                socket.receive()
            assert ended.value.code == 1007
        with (
            client.websocket("/api/closed") as socket,
            pytest.raises(api.WebSocketDisconnect) as ended,
        ):
            socket.receive()
        assert (ended.value.code, ended.value.reason) == (4000, "enough")
        with pytest.raises(WebSocketRefused) as refused, client.websocket("/api/refused"):
            pass
        assert refused.value.status == 404
        assert b"no such room" in refused.value.body


def test_websocket_is_opened_as_the_client_that_it_belongs_to():
    options = {"headers": {"X-A": "1"}, "cookies": {"sid": "c"}, "base_url": "http://localhost/api"}
    with (
        service_on("starlette", SocketAPI, route="/api"),
        Client(client=("10.0.0.9", 1), **options) as client,
        client.websocket("/who") as socket,
    ):
        assert socket.receive() == "c 1 10.0.0.9"


def test_endpoint_that_only_sends_ends_with_its_client():
    with (
        service_on("starlette", SocketAPI),
        Client() as client,
        client.websocket("/tick") as socket,
    ):
        assert socket.receive() == "tick"
        with pytest.raises(TypeError, match="send_json"):
            socket.send({"a": 1})  # type: ignore[arg-type]


def test_open_websockets_hold_no_worker_threads():
    with (
        service_on("starlette", SocketAPI, configs=[Preference(lanes=2)]),
        Client() as client,
        ExitStack() as stack,
    ):
        sockets = [stack.enter_context(client.websocket("/lane")) for _ in range(6)]
        for socket in sockets:
            socket.send("a")
            assert socket.receive().startswith("utilmeta-lane")  # type: ignore[arg-type]
        assert client.get("/hello").status_code == 200


def test_refused_websocket_is_handled_as_a_request_is():
    with service_on("starlette", SocketAPI), Client() as client:
        with pytest.raises(WebSocketRefused) as refused, client.websocket("/guarded"):
            pass
        assert (refused.value.status, refused.value.body) == (418, b"by hand")


def test_close_code_that_nobody_may_send_is_an_error_of_the_endpoint():
    with (
        service_on("starlette", SocketAPI),
        Client() as client,
        client.websocket("/odd") as socket,
        pytest.raises(api.WebSocketDisconnect) as ended,
    ):
        socket.receive()
    assert ended.value.code == 1011


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://pub.example", "pub.example:443", 101),
        ("https://pub.example:443", "pub.example", 101),
        ("http://pub.example", "pub.example", 403),
        ("https://pub.example:444", "pub.example", 403),
        ("https://pub.example:x", "pub.example", 403),
        ("null", "pub.example", 403),
    ],
)
def test_origin_is_compared_by_scheme_name_and_port(origin: str, host: str, status: int):
    headers = {
        "Origin": origin,
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": "https",
    }
    with (
        service_on(
            "starlette",
            SocketAPI,
            settings={"ALLOWED_HOSTS": ["*"]},
            configs=[Preference(trusted_proxies=["127.0.0.1"])],
        ),
        Client() as client,
    ):
        try:
            with client.websocket("/who", headers=headers):
                got = 101
        except WebSocketRefused as exc:
            got = exc.status
    assert got == status


def test_sync_service_has_no_websockets():
    with (
        service_on("flask", RootAPI),
        Client() as client,
        pytest.raises(ConfigError, match="no WebSockets"),
    ):
        client.websocket("/x")


def test_client_without_a_service_says_so():
    from utilmeta.conf import current

    with current.replaced(), pytest.raises(ConfigError, match="no service exists"):
        Client()


def test_override_service_gives_the_first_one_back():
    from utilmeta.conf import current

    before = current.get()
    with override_service(backend="flask", name="one") as one:
        assert current.get() is one
        with override_service(backend="flask", name="two"):
            assert isinstance(current.get(), UtilMeta)
            assert current.get().name == "two"
        assert current.get() is one
    assert current.get() is before


def test_fixtures_give_the_projects_service(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "testproject.settings")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.django_db(transaction=True)
        def test_tags(api_client):
            answer = api_client.get("/api/tags")
            assert (answer.status_code, answer.json()) == (200, {"tags": []})

        def test_without_a_database(api_client):
            # The connection that the test before has left open is none of this one's business.
            assert api_client.get("/api/openapi.json").status_code == 200

        def test_service(utilmeta_service):
            assert utilmeta_service.name == "conduit"
        """
    )
    from tests.servers import ROOT

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)
