"""What `check --deploy` finds in a service that is right but for one thing."""

import re
from pathlib import Path

import pytest

from tests.examples.copies import copy_of, edit, run
from tests.servers import ROOT

KEY = "abcdefghijklmnopqrstuvwxyz0123456789" * 2
ENVIRON = {
    "SECRET_KEY": KEY,
    "DATABASE_URL": "postgresql://demo@127.0.0.1/demo",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}
PROXIES = 'service.use(Preference(trusted_proxies=["127.0.0.1"]))'
TIME = 'service.use(Time(time_zone="UTC"))'
ORIGIN = 'origin="https://api.example.com"'
CACHES = 'service.use(CacheConnections({"default": RedisCache(location=env.REDIS_URL)}))'
# One thing that is wrong: what is found, what is edited, variables.
FAULTS = [
    ("utilmeta.W101", [], {"PRODUCTION": "false"}),
    ("utilmeta.W102", [("Preference(", "Preference(docs=True, ")], {}),
    ("utilmeta.W103", [("Preference(", "Preference(explain_refusals=True, ")], {}),
    ("utilmeta.W104", [("secret_key=env.SECRET_KEY", f"secret_key={KEY!r}")], {}),
    ("utilmeta.W105", [("middleware=", 'allowed_hosts=["*"], middleware=')], {}),
    ("utilmeta.W106", [('["127.0.0.1"]', '["0.0.0.0/0"]')], {}),
    ("utilmeta.W106", [('["127.0.0.1"]', '["::/0"]')], {}),
    ("utilmeta.W106", [('["127.0.0.1"]', '["8.0.0.0/8"]')], {}),
    ("utilmeta.W107", [(PROXIES, "")], {}),
    ("utilmeta.W108", [(f"    {ORIGIN},\n", "")], {}),
    ("utilmeta.W108", [(ORIGIN, 'origin="http://api.example.com"')], {}),
    ("utilmeta.W109", [('"SECURE_HSTS_SECONDS": 31536000,', "")], {}),
    ("utilmeta.W120", [(CACHES, "")], {}),
    (
        "utilmeta.W120",
        [(CACHES, ""), ("Deployment(workers=2)", "Deployment")],
        {},
    ),
    ("utilmeta.W122", [], {"DATABASE_URL": "sqlite:///db.sqlite3"}),
    ("utilmeta.W124", [("workers=2", "workers=60")], {"BACKEND": "flask"}),
    ("utilmeta.W124", [("workers=2", "workers=2, connections=3")], {}),
    (
        "utilmeta.W125",
        [("from_url(env.DATABASE_URL)", "from_url(env.DATABASE_URL, max_age=0)")],
        {},
    ),
    (
        "utilmeta.W126",
        [("workers=2", "workers=2, worker='gevent'")],
        {"BACKEND": "flask", "DATABASE_URL": "mysql://demo@127.0.0.1/demo"},
    ),
    ("utilmeta.W127", [("workers=2", "workers=2, server='uwsgi'")], {}),
    ("utilmeta.W131", [(TIME, 'service.use(Time(time_zone="UTC", use_tz=False))')], {}),
    ("security.W009", [], {"SECRET_KEY": "short"}),
    ("security.W009", [], {"SECRET_KEY": f"django-insecure-{KEY}"}),
]


def found(folder: Path, backend: str = "fastapi", **env: str) -> list[str]:
    """Return the ids that `check --deploy` tells of a copy of the example."""
    given = {**ENVIRON, "BACKEND": backend, **env}
    done = run(folder, "-m", "utilmeta", "check", "--deploy", "--fail-level", "WARNING", **given)
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    ids = re.findall(r"\((\w+\.[WE]\d+)\)", text)
    assert (done.returncode == 0) == (not ids), text
    return sorted(set(ids))


@pytest.mark.parametrize(
    ("expected", "edits", "env"), FAULTS, ids=[f"{n}-{item[0]}" for n, item in enumerate(FAULTS)]
)
def test_fault_is_found_and_nothing_else(
    expected: str, edits: list[tuple[str, str]], env: dict[str, str], tmp_path: Path
) -> None:
    folder = copy_of("checks", tmp_path)
    for old, new in edits:
        edit(folder / "server.py", old, new)
    if env.get("DATABASE_URL", "").startswith("mysql:"):
        pytest.importorskip("MySQLdb", reason="mysqlclient is compiled")
    backend = env.get("BACKEND", "fastapi")
    ids = found(folder, backend, **{key: env[key] for key in env if key != "BACKEND"})
    # Outside production Django's own check of DEBUG answers too.
    assert ids == sorted({expected, "security.W018"} if expected == "utilmeta.W101" else {expected})
    if expected in {"utilmeta.W120", "utilmeta.W122"}:
        text = (folder / "server.py").read_text(encoding="utf-8")
        one = re.sub(r"Deployment(\(workers=2\))?\)", "Deployment(workers=1))", text)
        (folder / "server.py").write_text(one, encoding="utf-8")
        assert found(folder, **env) == []


def test_one_process_may_be_told_by_the_variable(tmp_path: Path) -> None:
    folder = copy_of("checks", tmp_path)
    edit(folder / "server.py", "service.use(Deployment(workers=2))", "")
    env = {"DATABASE_URL": "sqlite:///db.sqlite3"}
    assert found(folder, WEB_CONCURRENCY="1", **env) == []
    assert found(folder, WEB_CONCURRENCY="4", **env) == ["utilmeta.W122"]


def test_application_below_the_main_guard_is_found_for_sanic(tmp_path: Path) -> None:
    folder = copy_of("checks", tmp_path)
    edit(folder / "server.py", "app = service.application()\n", "")
    edit(folder / "server.py", "    service.run()", "    app = service.application()")
    assert found(folder, "sanic") == ["utilmeta.W123"]
    # The others are started by servers, which do not find it either.
    assert found(folder, "starlette") == ["utilmeta.W127"]


def test_page_names_every_check() -> None:
    ids = r"utilmeta\.[EIW]\d{3}"
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "utilmeta").rglob("*.py"))
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| `({ids})` \|", page, re.MULTILINE)
    assert sorted(rows) == sorted(set(re.findall(rf'id="({ids})"', code)))
