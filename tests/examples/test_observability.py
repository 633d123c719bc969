"""The page about logs, metrics and traces, as its reader runs it."""

import json
from pathlib import Path

import pytest

from tests.examples.conftest import Start
from tests.examples.copies import uses
from tests.examples.test_docs import SIX
from tests.servers import free_port, start_server

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("observability")
def test_observability_is_as_described(folder: Path, backend: str, tmp_path: Path):
    port = free_port()
    env = {"BACKEND": backend, "PORT": str(port)}
    # Its log holds the traceback of what is broken, so that it is not among those without one.
    server = start_server(["python", "server.py"], port, tmp_path / "log", cwd=folder, env=env)
    headers = {
        "X-Request-ID": "shown-1",
        "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
    }
    answer = server.request("GET", "/api/orders/7", headers=headers)
    assert json.loads(answer.body) == {"number": 7}
    assert answer.header("x-request-id") == "shown-1"
    assert server.request("GET", "/api/slow").status == 200
    assert server.request("GET", "/api/broken").status == 500
    text = server.request("GET", "/metrics").body.decode()
    assert 'http_requests_total{method="GET",route="/api/orders/{number}",status="200"} 1.0' in text
    refused = server.request("GET", "/metrics", headers={"X-Forwarded-For": "10.0.0.1"})
    assert refused.status == 404
    assert server.stop() in {0, -15, 143}
    shown = [json.loads(line) for line in server.output().splitlines() if line.startswith('{"')]
    shop, access = (
        next(line for line in shown if line["logger"] == name)
        for name in ("shop", "utilmeta.access")
    )
    assert (shop["order"], shop["request_id"], shop["trace_id"]) == (7, "shown-1", TRACE)
    assert (access["route"], access["trace_id"]) == ("/api/orders/{number}", TRACE)
    # On a busy machine others may be slow as well.
    slow = [line["message"] for line in shown if line["logger"] == "utilmeta.slow"]
    assert len([text for text in slow if text.startswith("slow request: GET /api/slow 200")]) == 1
    assert sum("the till is locked" in line.get("exception", "") for line in shown) == 1
    names = [
        line.partition(": ")[2].strip('",')
        for line in server.output().splitlines()
        if line.startswith('    "name"')
    ]
    assert names[:2] == ["SELECT default", "GET /api/orders/{number}"]
    assert names[-1] == "GET /api/broken"
    described = (Path(__file__).parents[2] / "docs" / "observability.md").read_text("utf-8")
    for line in described.split("```json\n")[1].partition("```")[0].splitlines():
        told = json.loads(line)
        found = shop if told["logger"] == "shop" else access
        expected = set(told) - {"user_agent"}
        assert expected <= set(found)


@pytest.mark.sockets
@uses("observability")
def test_observability_is_readable_in_development(start: Start):
    server = start(PRODUCTION="0")
    server.request("GET", "/api/orders/7", headers={"X-Request-ID": "shown-1"})
    server.stop()
    lines = [line for line in server.output().splitlines() if "[shown-1]" in line]
    assert len(lines) == 2
    assert "INFO    shop: an order is looked for order=7 [shown-1]" in lines[0]
    assert "INFO    utilmeta.access: GET /api/orders/7 200" in lines[1]
