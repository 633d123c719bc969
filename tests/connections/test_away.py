"""A database that goes away and comes back, behind each backend and way of keeping connections."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.connections.cluster import Cluster, started
from tests.servers import ROOT, Answer, Server, free_port, start_server
from tests.services import require_postgres, require_postgres_binaries
from utilmeta.core.orm.connections.availability import AWAY, RETRY_AFTER

pytestmark = [pytest.mark.sockets, pytest.mark.postgres]

FOLDER = ROOT / "tests" / "connections"
GUNICORN = [str(Path(sys.executable).parent / "gunicorn"), "-k", "gthread", "--threads", "3"]
GUNICORN += ["--no-control-socket", "-b", "127.0.0.1:PORT", "app:app"]
RUN = ["python", str(FOLDER / "app.py")]
AUTO: dict[str, Any] = {}
POOL = {"pooled": {"timeout": 2}}
KEPT = {"age": 600, "checks": True, "pool": None}
CLOSED = {"age": 0, "checks": False, "pool": None}
MANY = 12
SIZES = {"timeout": 2, "reconnect_timeout": 0}
# Name: backend, command, arguments of `Database`, what becomes of them.
SERVICES: dict[str, tuple[str, list[str], dict[str, Any], dict[str, Any]]] = {
    "django": ("django", RUN, AUTO, CLOSED),
    "django gunicorn": ("django", GUNICORN, AUTO, KEPT),
    "django gunicorn pool": (
        "django",
        GUNICORN,
        POOL,
        {"age": 0, "checks": True, "pool": SIZES},
    ),
    "django-asgi": ("django-asgi", RUN, AUTO, KEPT),
    "flask": ("flask", RUN, AUTO, CLOSED),
    "flask gunicorn": ("flask", GUNICORN, AUTO, KEPT),
    "starlette": ("starlette", RUN, AUTO, KEPT),
    "starlette for ever": ("starlette", RUN, {"max_age": None}, {**KEPT, "age": None}),
    "starlette not at all": ("starlette", RUN, {"max_age": 0}, CLOSED),
    "starlette pool": (
        "starlette",
        RUN,
        POOL,
        {"age": 0, "checks": True, "pool": {**SIZES, "min_size": 1, "max_size": 24}},
    ),
    "fastapi": ("fastapi", RUN, AUTO, KEPT),
    "sanic": ("sanic", RUN, AUTO, KEPT),
    "tornado": ("tornado", RUN, AUTO, KEPT),
}


@dataclass
class Story:
    """What one service answered, in the order of events."""

    server: Server
    twin: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    seconds: float = 0.0

    def ask(self, event: str, *paths: str) -> None:
        """Request paths one after another and keep the answers under an event's name."""
        begun = time.monotonic()
        self.answers[event] = [self.server.request("GET", f"/api/{path}") for path in paths]
        self.seconds = max(self.seconds, time.monotonic() - begun)

    @property
    def settings(self) -> Any:
        """What the service says of its database's settings."""
        return json.loads(self.answers["settings"][0].body)

    def statuses(self, event: str) -> list[int]:
        return [answer.status for answer in self.answers[event]]

    def pids(self, event: str) -> list[int]:
        assert set(self.statuses(event)) == {200}, self.server.output()
        return [json.loads(answer.body) for answer in self.answers[event]]


def launch(name: str, cluster: Cluster, folder: Path) -> Story:
    backend, command, database, _ = SERVICES[name]
    backend, _, mode = backend.partition("-")
    port = free_port()
    env = {
        "BACKEND": backend,
        "ASYNCHRONOUS": "1" if mode else "",
        "PORT": str(port),
        "DATABASE_PORT": str(cluster.port),
        "DATABASE": json.dumps(database),
    }
    argv = [part.replace("PORT", str(port)) for part in command]
    log = folder / f"{name}.log"
    server = start_server(argv, port, log, cwd=FOLDER, env=env)
    return Story(server, "pid" if backend in {"django", "flask"} and not mode else "twin")


def each(stories: dict[str, Story], tell: Callable[[Story], None]) -> None:
    with ThreadPoolExecutor(len(stories)) as threads:
        for done in [threads.submit(tell, story) for story in stories.values()]:
            done.result()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Story]]:
    """Every service through the same events: they are few and slow, so they are shared."""
    require_postgres()
    folder = tmp_path_factory.mktemp("services")
    with started(require_postgres_binaries()) as cluster:
        with ThreadPoolExecutor(4) as threads:
            launched = {name: threads.submit(launch, name, cluster, folder) for name in SERVICES}
        found: dict[str, Story] = {}
        try:
            found.update({name: done.result() for name, done in launched.items()})
            tell_all(found, cluster)
            yield found
        finally:
            for done in launched.values():
                if done.exception() is None:
                    done.result().server.stop()


def tell_all(found: dict[str, Story], cluster: Cluster) -> None:
    each(found, lambda story: story.ask("settings", "settings"))
    each(found, lambda story: story.ask("before", "pid", "pid", story.twin, "atomic"))
    each(found, lambda story: story.ask("often", *["pid"] * MANY))
    cluster.end_connections()
    each(found, lambda story: story.ask("ended", "pid", story.twin))
    cluster.end_connections()
    each(found, lambda story: story.ask("ended, then atomic", "atomic"))
    each(found, lambda story: story.ask("lost", "die", "pid", "missing", "pid"))
    cluster.stop()
    each(found, lambda story: story.ask("down", "pid", story.twin, "atomic"))
    cluster.start()
    each(found, lambda story: story.ask("back", "pid", story.twin, "atomic", "pid"))
    cluster.stop()
    cluster.start()
    each(found, lambda story: story.ask("restarted", "atomic", "pid"))


@pytest.fixture(params=SERVICES)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param]


@pytest.mark.parametrize("name", SERVICES)
def test_connections_are_kept_as_the_service_runs(stories: dict[str, Story], name: str):
    assert stories[name].settings == SERVICES[name][3]


def test_connections_that_were_ended_between_requests_cost_nothing(story: Story):
    before = story.pids("before")
    assert not set(before) & set(story.pids("ended"))
    assert story.statuses("ended, then atomic") == [200]


def test_a_connection_lost_within_a_request_costs_that_request(story: Story):
    assert story.statuses("lost") == [503, 200, 500, 200]


def test_requests_are_503_while_the_database_is_down(story: Story):
    assert story.statuses("down") == [503, 503, 503]
    for answer in story.answers["down"]:
        assert answer.header("content-type") == "application/problem+json"
        assert answer.header("retry-after") == str(RETRY_AFTER)
        assert json.loads(answer.body) == {
            "type": "about:blank",
            "title": "Service Unavailable",
            "status": 503,
            "detail": AWAY,
        }
    assert story.seconds < 10


def test_the_first_request_after_it_is_back_is_answered(story: Story):
    assert story.statuses("back") == [200, 200, 200, 200]
    assert story.statuses("restarted") == [200, 200]


def test_each_refused_request_is_logged_once(story: Story):
    lines = story.server.output().splitlines()
    lost = [line for line in lines if line.endswith(" failed: OperationalError")]
    assert len(lost) == 1 + 3, story.server.output()


def test_kept_connections_are_used_again(story: Story):
    used = len(set(story.pids("often")))
    if story.settings == CLOSED:
        assert used == MANY
    else:
        # The next request may come before the last one's thread is free again.
        assert used <= MANY // 2
