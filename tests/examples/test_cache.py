"""The example of the page on caches, run as a reader would."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cache.conftest import RedisServer
from tests.examples.conftest import Start
from tests.examples.copies import uses
from tests.servers import Server
from tests.services import HOST, require_redis

SYNC = ("django", "flask")
SIX = (*SYNC, "starlette", "fastapi", "sanic", "tornado")
JSON = {"Content-Type": "application/json"}


def call(server: Server, method: str, path: str, show: str | None = None):
    body = None if show is None else json.dumps({"show": show}).encode()
    answer = server.request(method, f"/api/{path}", body=body, headers={} if body is None else JSON)
    return answer.status, json.loads(answer.body)


@pytest.mark.sockets
@pytest.mark.redis
@pytest.mark.parametrize("backend", SIX)
@uses("cache")
def test_caches_are_used_as_described(start: Start, tmp_path: Path, backend: str):
    require_redis()
    redis = RedisServer(tmp_path)
    redis.start()
    try:
        url = f"redis://{HOST}:{redis.port}/0"
        server = start(BACKEND=backend, REDIS_URL=url, PREFIX=f"test-{uuid4().hex}")
        for style in ("sync",) if backend in SYNC else ("sync", "asynchronous"):
            first = call(server, "GET", f"{style}/report/2024")
            assert first[0] == 200
            assert call(server, "GET", f"{style}/report/2024") == first
            assert call(server, "DELETE", f"{style}/report/2024") == (200, {"forgotten": 1})
            assert call(server, "GET", f"{style}/report/2024") != first
            assert call(server, "DELETE", f"{style}/report/2024") == (200, {"forgotten": 1})
            seats = [call(server, "POST", f"{style}/seat", "opera") for _ in range(4)]
            assert seats[:3] == [(200, {"seat": number}) for number in (1, 2, 3)]
            assert seats[3][0] == 409
            assert call(server, "POST", f"{style}/close", "opera") == (200, {"sold": 3})
            redis.stop()
            status, told = call(server, "POST", f"{style}/seat", "opera")
            assert (status, "unavailable" in json.dumps(told)) == (503, True)
            assert str(redis.port) not in json.dumps(told)
            redis.start()
            assert call(server, "POST", f"{style}/close", "opera") == (200, {"sold": 0})
        server.stop()
        output = server.output()
        # The log rightly tells why there was a 503; nothing else may go wrong at the end.
        outages = output.count("raise CacheUnavailable from exc")
        assert outages == (1 if backend in SYNC else 2), output
        assert "unclosed" not in output
        assert "was destroyed" not in output
        server.log.write_text("", encoding="utf-8")
    finally:
        redis.stop()
