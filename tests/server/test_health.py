"""`/healthz` and `/readyz` on every back end."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Start
from tests.servers import free_port
from tests.testing.services import BACKENDS, service_on
from utilmeta.conf import Health, Metrics
from utilmeta.core import api
from utilmeta.core.server.backends.django import DjangoSettings
from utilmeta.core.server.health import Checks
from utilmeta.testing import Client
from utilmeta.utils.exceptions import ConfigError

# Django's runserver does not start without its database, which gunicorn does.
GUNICORN = [str(Path(sys.executable).parent / "gunicorn"), "--bind=127.0.0.1:PORT"]
GUNICORN += ["--no-control-socket", "healthy:app"]


def command(backend: str) -> list[str]:
    """Return what serves a service with a database and a cache."""
    own = ["python", str(Path(__file__).with_name("healthy.py"))]
    return GUNICORN if backend == "django" else own


# The database of the tests is nobody's to migrate.
PLAIN = Health(migrations=False)


class RootAPI(api.API):
    @api.get
    def hello(self) -> str:
        return "world"


class OwnAPI(api.API):
    @api.get
    def healthz(self) -> str:
        return "mine"


@pytest.fixture(autouse=True)
def connections_may_be_tidied(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@pytest.mark.parametrize("backend", BACKENDS)
def test_tells_that_it_lives_and_is_ready(backend: str) -> None:
    with (
        service_on(backend, RootAPI, route="/api", configs=[PLAIN]) as service,
        Client(service) as client,
    ):
        alive = client.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
        assert alive.headers["cache-control"] == "no-store"
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        head = client.head("/readyz")
        assert (head.status_code, head.content) == (200, b"")
        refused = client.post("/readyz", json={})
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert client.get("/readyz/further").status_code == 404
        assert client.get("/api/hello").text == "world"


@pytest.mark.parametrize("backend", BACKENDS)
def test_is_not_ready_once_it_was_told_to_end(backend: str) -> None:
    with (
        service_on(backend, RootAPI, route="/api", configs=[PLAIN]) as service,
        Client(service) as client,
    ):
        assert client.get("/readyz").status_code == 200
        service.lifecycle.drain()
        told = client.get("/readyz")
        assert (told.status_code, told.json()) == (503, {"status": "ending"})
        # It goes on answering meanwhile, and lives.
        assert client.get("/api/hello").status_code == 200
        assert client.get("/healthz").status_code == 200


def test_is_not_ready_while_the_supervisor_ends_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "draining"
    monkeypatch.setenv("UTILMETA_DRAINING", str(file))
    with service_on("starlette", RootAPI, configs=[PLAIN]) as service, Client(service) as client:
        assert client.get("/readyz").status_code == 200
        file.touch()
        assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unreachable_database_is_not_ready_and_says_why_in_the_log_only(
    start: Start, backend: str
) -> None:
    url = f"postgresql://stranger@127.0.0.1:{free_port()}/none"
    server = start(backend, command=command(backend), DATABASE_URL=url)
    told = server.request("GET", "/readyz")
    assert told.status == 503
    assert json.loads(told.body) == {
        "status": "not ready",
        "checks": {"database default": "failed", "migrations": "failed"},
    }
    assert "not ready: database default: OperationalError" in server.output()
    assert server.request("GET", "/healthz").status == 200
    assert server.request("GET", "/api/hello").status == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unreachable_cache_is_not_ready(start: Start, backend: str) -> None:
    port = free_port()
    server = start(
        backend,
        command=command(backend),
        DATABASE_URL="sqlite:///:memory:",
        CACHE_URL=f"redis://127.0.0.1:{port}/0",
    )
    told = server.request("GET", "/readyz")
    assert told.status == 503
    assert json.loads(told.body)["checks"] == {
        "database default": "ok",
        "migrations": "ok",
        "cache default": "failed",
    }
    assert str(port).encode() not in told.body


def test_migrations_that_are_not_applied_are_not_ready(start: Start) -> None:
    server = start(
        "starlette",
        command=command("starlette"),
        DATABASE_URL="sqlite:///:memory:",
        APPS="django.contrib.contenttypes",
    )
    told = server.request("GET", "/readyz")
    assert told.status == 503
    assert json.loads(told.body)["checks"] == {"database default": "ok", "migrations": "failed"}
    assert "contenttypes.0001_initial" in server.output()


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    health = Health(databases=False, migrations=False, caches=False)
    with (
        service_on("django", RootAPI, configs=[health]) as service,
        Client(service) as client,
    ):
        assert client.get("/readyz").json() == {"status": "ready", "checks": {}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_paths_may_be_others_or_none(backend: str) -> None:
    health = Health(live=None, ready="/up", migrations=False)
    with (
        service_on(backend, RootAPI, route="/api", configs=[health]) as service,
        Client(service) as client,
    ):
        assert client.get("/up").status_code == 200
        assert client.get("/healthz").status_code == 404
        assert client.get("/readyz").status_code == 404


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_endpoint_of_that_path_wins(backend: str) -> None:
    with (
        service_on(backend, OwnAPI, route="", configs=[PLAIN]) as service,
        Client(service) as client,
    ):
        assert client.get("/healthz").text == "mine"
        assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("backend", BACKENDS)
def test_those_who_do_not_know_its_name_may_ask(backend: str) -> None:
    settings = {"ALLOWED_HOSTS": ["shop.example"]}
    with (
        service_on(backend, RootAPI, route="/api", settings=settings, configs=[PLAIN]) as service,
        Client(service) as client,
    ):
        assert client.get("/readyz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
        assert client.get("/api/hello", headers={"Host": "10.0.0.7:8000"}).status_code == 400


def test_a_check_that_hangs_has_failed_and_is_not_begun_twice() -> None:
    begun, go = [], threading.Event()

    def hang() -> None:
        begun.append(1)
        go.wait(20)

    checks = Checks({"slow": hang, "quick": lambda: None}, timeout=0.1, interval=0.0)
    assert checks.run().checks == {"slow": "failed", "quick": "ok"}
    assert checks.run().checks == {"slow": "failed", "quick": "ok"}
    assert len(begun) == 1
    go.set()
    late = time.monotonic() + 10
    while not checks.run().is_good and time.monotonic() < late:
        time.sleep(0.02)
    assert checks.run().is_good


def test_those_who_ask_while_a_check_hangs_get_the_outcome_of_before() -> None:
    entered, go = threading.Event(), threading.Event()
    runs = []

    def slow() -> None:
        runs.append(1)
        if len(runs) > 1:
            entered.set()
            go.wait(20)

    checks = Checks({"slow": slow}, timeout=20, interval=0.0)
    assert checks.run().is_good
    asker = threading.Thread(target=checks.run)
    asker.start()
    entered.wait(10)
    begun = time.monotonic()
    assert checks.run().is_good
    assert time.monotonic() - begun < 5
    go.set()
    asker.join()


def test_a_check_that_ended_late_is_run_anew() -> None:
    found: list[str] = []
    go = threading.Event()

    def check() -> None:
        found.append("run")
        if len(found) == 1:
            go.wait(20)
        else:
            raise OSError("it has died meanwhile")

    checks = Checks({"database": check}, timeout=0.1, interval=0.0)
    assert not checks.run().is_good
    go.set()
    time.sleep(0.3)
    assert not checks.run().is_good
    assert len(found) == 2


@pytest.mark.parametrize("backend", ["django", "starlette"])
def test_an_endpoint_below_such_a_path_is_refused_at_setup(backend: str) -> None:
    class HiddenAPI(api.API):
        @api.get("healthz/details")
        def details(self) -> str:
            return "mine"

    with (
        service_on(backend, HiddenAPI, route="") as service,
        pytest.raises(ConfigError, match="/healthz would hide the endpoint /healthz/details"),
    ):
        service.application()
    health = Health(live="/livez", migrations=False)
    with (
        service_on(backend, HiddenAPI, route="", configs=[health]) as service,
        Client(service) as client,
    ):
        assert client.get("/healthz/details").text == "mine"


def test_an_outcome_is_kept_for_a_while() -> None:
    runs = []
    checks = Checks({"counted": lambda: runs.append(1)}, timeout=5, interval=60)
    assert checks.known() is None
    threads = [threading.Thread(target=checks.run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1
    assert checks.known() is not None


@pytest.mark.parametrize(
    "options",
    [
        {"live": "healthz"},
        {"ready": "/readyz/"},
        {"live": "/same", "ready": "/same"},
        {"timeout": 0},
        {"interval": -1},
        {"grace": -0.5},
        {"grace": "5"},
    ],
)
def test_wrong_fields_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"Health\("):
        Health(**options)


STRICT = DjangoSettings(
    secret_key="strict" * 10,
    middleware=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    extra={"SECURE_SSL_REDIRECT": True},
)


@pytest.mark.parametrize("configs", [[], [Metrics()]], ids=["plain", "watched"])
@pytest.mark.parametrize("backend", ["django", "django-asgi"])
def test_djangos_middleware_does_not_send_probes_to_https(backend: str, configs: list[Any]) -> None:
    configs = [STRICT, PLAIN, *configs]
    with (
        service_on(backend, RootAPI, route="/api", configs=configs) as service,
        Client(service) as client,
    ):
        assert client.get("/api/hello").status_code == 301
        paths = ["/healthz", "/readyz", *(["/metrics"] if len(configs) > 2 else [])]
        for path in paths:
            assert client.get(path, headers={"Host": "10.0.0.7"}).status_code == 200, path
        assert client.post("/healthz").status_code == 405
        assert client.get("/healthz/below").status_code == 301


@pytest.mark.parametrize(
    "path", ["healthz", "/", "/healthz/", "/health $z;", "/h%20z", "/数据", ""]
)
def test_paths_that_are_none_are_refused(path: str) -> None:
    with pytest.raises(ConfigError, match=r"Health\(live="):
        Health(live=path)
