"""WebSockets on the five back ends that carry them, over real sockets."""

import json
import signal
import socket as sockets
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.servers import ROOT, Server, free_port, start_server

BACKENDS = ("django", "starlette", "fastapi", "sanic", "tornado")
Start = Callable[[str], Server]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    running: dict[str, Server] = {}

    def get(backend: str) -> Server:
        if backend not in running or running[backend].stopped:
            port = free_port()
            running[backend] = start_server(
                ["python", str(ROOT / "tests" / "contract" / "server.py")],
                port,
                tmp_path_factory.mktemp("sockets") / f"{backend}.log",
                cwd=tmp_path_factory.mktemp("cwd"),
                env={"BACKEND": backend, "PORT": str(port), "ASYNCHRONOUS": "1"},
            )
        return running[backend]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, start: Start) -> Server:
    return start(request.param)


@contextmanager
def talk(server: Server, path: str, **options: Any) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{server.port}/api/sockets/{path}"
    with connect(url, open_timeout=10, close_timeout=5, proxy=None, **options) as connection:
        yield connection


def ending(connection: ClientConnection) -> tuple[int, str]:
    """Return close code and reason, once the server has closed."""
    with pytest.raises(ConnectionClosed) as caught:
        connection.recv(timeout=10)
    close = caught.value.rcvd
    assert close is not None
    return close.code, close.reason


def refusal(server: Server, path: str, **options: Any) -> Any:
    with pytest.raises(InvalidStatus) as caught, talk(server, path, **options):
        pass
    return caught.value.response


@pytest.mark.sockets
def test_messages_come_back_as_they_were(server: Server):
    with talk(server, "rooms/a/echo") as connection:
        for message in ("h\u00e9 \U0001f600", b"\x00\xff", "", b"", "x" * 200_000):
            connection.send(message)
            assert connection.recv(timeout=10) == message


@pytest.mark.sockets
def test_fragments_are_one_message(server: Server):
    with talk(server, "rooms/a/echo") as connection:
        connection.send(["one ", "two ", "three"])
        assert connection.recv(timeout=10) == "one two three"


@pytest.mark.sockets
def test_typed_messages_are_validated_and_answered_as_json(server: Server):
    with talk(server, "rooms/blue/typed?loud=1") as connection:
        connection.send('{"kind": "said", "text": "a"}')
        assert json.loads(connection.recv(timeout=10)) == {"room": "blue", "text": "A"}
        connection.send('{"kind": "left"}')
        assert ending(connection) == (4001, "goodbye")


@pytest.mark.sockets
@pytest.mark.parametrize("message", ['{"kind": "said", "text": ""}', "{", "null", b"\xff"])
def test_message_of_the_wrong_form_closes_unless_it_is_caught(server: Server, message: Any):
    with talk(server, "rooms/a/typed") as connection:
        connection.send(message)
        code, reason = ending(connection)
        assert (code, reason.partition(": message")[0]) == (1007, "The message is invalid")
        assert len(reason) > 30
    with talk(server, "rooms/a/patient") as connection:
        connection.send(message)
        assert "wrong" in json.loads(connection.recv(timeout=10))
        connection.send('{"text": "b"}')
        assert json.loads(connection.recv(timeout=10)) == {"right": "b"}


@pytest.mark.sockets
def test_refusal_before_the_handshake_is_an_answer(server: Server):
    refused = refusal(server, "rooms/a/guarded?token=bad")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="rooms"'
    assert refused.headers["content-type"] == "application/problem+json"
    assert json.loads(refused.body)["detail"] == "who are you?"
    with talk(server, "rooms/a/guarded?token=good") as connection:
        assert connection.recv(timeout=10) == "come in"
        assert ending(connection) == (1000, "")


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("rooms/a/absent", 404),
        ("rooms/a%20b/echo", 400),
        ("rooms/a/typed?loud=x", 400),
        ("rooms/a/closed", 403),
        ("rooms/a/early", 500),
        ("rooms/a/answered", 409),
        ("rooms/a/ended", 404),
    ],
)
def test_connection_that_cannot_be_is_refused(server: Server, path: str, status: int):
    assert refusal(server, path).status_code == status


@pytest.mark.sockets
def test_subprotocol_and_headers_of_the_handshake(server: Server):
    with talk(server, "rooms/a/protocols", subprotocols=["a", "b"]) as connection:
        assert connection.subprotocol == "b"
        assert connection.response.headers["x-room"] == "a"
        assert connection.recv(timeout=10) == "'b'"
    with talk(server, "rooms/a/protocols") as connection:
        assert connection.subprotocol is None
        assert connection.recv(timeout=10) == "None"


@pytest.mark.sockets
def test_errors_after_the_handshake_close_without_secrets(server: Server):
    with talk(server, "rooms/a/crash") as connection:
        assert ending(connection) == (1011, "")
    with talk(server, "rooms/a/conflict") as connection:
        assert ending(connection) == (1008, "taken")


@pytest.mark.sockets
def test_request_is_seen_as_over_http(server: Server):
    with talk(server, "rooms/a-1/seen") as connection:
        assert json.loads(connection.recv(timeout=10)) == {
            "path": "/sockets/rooms/a-1/seen",
            "ip": "127.0.0.1",
            "scheme": "http",
            "room": "a-1",
        }


@pytest.mark.sockets
def test_pages_of_other_sites_are_refused_unless_cors_lets_them(server: Server):
    own = f"http://127.0.0.1:{server.port}"
    with talk(server, "rooms/a/echo", origin=own):
        pass
    assert refusal(server, "rooms/a/echo", origin="http://evil.example").status_code == 403
    assert refusal(server, "open/hello", origin="http://evil.example").status_code == 403
    with talk(server, "open/hello", origin="https://friend.example") as connection:
        assert connection.recv(timeout=10) == "hello"


@pytest.mark.sockets
def test_plain_get_is_told_to_upgrade(server: Server):
    answer = server.request("GET", "/api/sockets/rooms/a/echo")
    assert (answer.status, answer.header("upgrade")) == (426, "websocket")
    assert server.request("POST", "/api/sockets/rooms/a/echo").status == 405


@pytest.mark.sockets
def test_messages_before_a_close_are_not_lost(server: Server):
    with talk(server, "rooms/a/echo") as connection:
        for number in range(20):
            connection.send(str(number))
        assert [connection.recv(timeout=10) for _ in range(20)] == [str(n) for n in range(20)]


@pytest.mark.sockets
def test_client_that_vanishes_ends_the_endpoint(server: Server):
    before = len(json.loads(server.request("GET", "/api/sockets/rooms/a/ended").body))
    with talk(server, "rooms/a/counted") as connection:
        connection.recv(timeout=10)
        # Reset instead of a close frame.
        connection.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if len(json.loads(server.request("GET", "/api/sockets/rooms/a/ended").body)) > before:
            return
        time.sleep(0.1)
    raise AssertionError("the endpoint still sends")


@pytest.mark.sockets
def test_sigterm_closes_open_connections_and_ends_the_process(server: Server):
    with talk(server, "rooms/a/echo") as connection:
        connection.send("a")
        assert connection.recv(timeout=10) == "a"
        server.process.send_signal(signal.SIGTERM)
        assert ending(connection)[0] in {1001, 1012}
    # A second signal would end it at once.
    assert server.process.wait(20) in {0, -15, 143}, server.output()
    output = server.output()
    assert "never retrieved" not in output
    assert "Task was destroyed" not in output
