"""What is counted, and who may read it."""

import sys
from typing import Any

import pytest

from tests.observe.services import watched
from tests.testing.services import ASYNC, BACKENDS
from utilmeta.conf import Health, Metrics, Preference
from utilmeta.testing import Client
from utilmeta.testing.sockets import WebSocketRefused
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled


def read(client: Client, **options: Any) -> dict[str, float]:
    """Return the numbers by name and labels."""
    answer = client.get("/metrics", **options)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_requests_are_counted_by_route(backend: str):
    with watched(backend, [Metrics(sizes=True)]) as (_, client):
        for number in range(3):
            client.get(f"/api/items/{number}")
        client.post("/api/items/1", content=b"12345")
        client.get("/api/absent-with-a-name-of-its-own")
        client.request("BREW", "/api/items/1")
        client.get("/api/fails")
        client.get("/api/pieces")
        client.get("/api/number")
        client.get("/healthz")
        assert client.get("/metrics/below").status_code == 404
        assert client.post("/metrics").status_code == 405
        head = client.head("/metrics")
        assert (head.status_code, head.content) == (200, b"")
        found = read(client)
    route = 'method="GET",route="/api/items/{id}"'
    assert found[f'http_requests_total{{{route},status="200"}}'] == 3
    assert found[f"http_request_duration_seconds_count{{{route}}}"] == 3
    assert found[f'http_request_duration_seconds_bucket{{le="+Inf",{route}}}'] == 3
    unmatched = 'http_requests_total{method="GET",route="unmatched",status="404"}'
    assert found[unmatched] == 1
    assert found['http_requests_total{method="GET",route="/api/fails",status="500"}'] == 1
    posted = 'method="POST",route="/api/items/{id}"'
    assert found[f"http_request_size_bytes_sum{{{posted}}}"] == 5
    assert found['http_response_size_bytes_sum{method="GET",route="/api/pieces"}'] == 6
    assert found['db_query_duration_seconds_count{database="default"}'] >= 1
    assert found["http_requests_in_progress"] == 0
    assert found["utilmeta_process_start_time_seconds"] > 1e9
    about = [name for name in found if name.startswith("utilmeta_build_info{")]
    assert len(about) == 1
    assert f'backend="{backend.partition("-")[0]}"' in about[0]
    assert "BREW" not in "".join(found)
    assert "own" not in "".join(name for name in found if name.startswith("http"))
    assert not any("healthz" in name or "/metrics" in name for name in found)


@pytest.mark.parametrize("backend", ASYNC)
def test_open_websockets_are_counted(backend: str):
    with watched(backend, [Metrics()]) as (_, client):
        with client.websocket("/api/talk") as socket:
            socket.send("a")
            socket.receive()
            assert read(client)["websockets_open"] == 1
        assert read(client)["websockets_open"] == 0


@pytest.mark.parametrize("backend", ASYNC)
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_websockets_that_are_refused_there_change_no_gauge(backend: str, path: str):
    with watched(backend, [Metrics(), Health(migrations=False)]) as (_, client):
        client.get("/healthz")
        for _ in range(3):
            with pytest.raises(WebSocketRefused), client.websocket(path):
                pass
        found = read(client)
        assert found["websockets_open"] == 0
        # The reading itself is not counted.
        assert found["http_requests_in_progress"] == 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.8.8", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("10.2.2.3", {}, 404),
        ("192.168.1.1", {}, 404),
        # A proxy that nobody has named may stand for anybody.
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
        ("10.2.2.3", {"X-Forwarded-For": "127.0.0.1"}, 404),
        # One that is named tells who it is.
        ("10.9.9.9", {"X-Forwarded-For": "10.1.7.7"}, 200),
        ("10.9.9.9", {"X-Forwarded-For": "8.8.8.8"}, 404),
        ("10.9.9.9", {"X-Forwarded-For": "127.0.0.1, 8.8.8.8"}, 404),
    ],
)
def test_numbers_are_for_those_who_may_read_them(
    backend: str, peer: str, headers: dict[str, str], status: int
):
    configs = [Metrics(allow=["10.1.0.0/16"]), Preference(trusted_proxies=["10.9.9.9"])]
    with watched(backend, configs) as (service, _):
        client = Client(service, client=(peer, 5000))
        assert client.get("/metrics", headers=headers).status_code == status
        client.close()


def test_a_missing_library_is_told_at_setup(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with (
        pytest.raises(DependencyNotInstalled, match=r"utilmeta\[metrics\]"),
        watched("django", [Metrics()]),
    ):
        pass


def test_another_path_is_used():
    with watched("flask", [Metrics(path="/inside/numbers")]) as (_, client):
        assert client.get("/metrics").status_code == 404
        assert b"http_requests" in client.get("/inside/numbers").content


@pytest.mark.parametrize(
    "options",
    [
        {"path": "metrics"},
        {"path": "/"},
        {"path": "/m $x;"},
        {"allow": "10.0.0.0/8"},
        {"allow": ["anybody"]},
        {"buckets": ()},
        {"buckets": (1, 1)},
        {"buckets": (2, 1)},
        {"buckets": (0, 1)},
    ],
)
def test_wrong_options_are_refused(options: Any):
    with pytest.raises(ConfigError, match=r"Metrics\("):
        Metrics(**options)
