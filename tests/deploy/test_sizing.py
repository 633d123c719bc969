"""How many processes and threads serve, within what databases allow."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.projects import POSTGRES, deploy, make_of, run_command, source
from tests.deploy.test_combinations import engine
from tests.servers import ROOT
from tests.services import require_postgres
from utilmeta.conf import Deployment
from utilmeta.conf.sizing import LIMITS, ROWS, Budget, Sizing, compute, decide, find_budgets
from utilmeta.deploy.sizing import explain
from utilmeta.utils.exceptions import ConfigError

WORKERS = st.none() | st.integers(1, 64)
NUMBERS = st.integers(1, 500)


def decided(databases: dict[str, Any] | None = None, **given: Any) -> Sizing:
    options = {"asynchronous": False, "worker": "gthread", "lanes": None, "count": 2, "environ": {}}
    options |= {key: given.pop(key) for key in list(given) if key in options}
    return decide(Deployment(**given), databases or {}, **options)  # type: ignore[arg-type]


@given(
    workers=WORKERS,
    threads=st.none() | NUMBERS,
    wanted_workers=st.integers(1, 64),
    wanted_threads=NUMBERS,
    limits=st.lists(st.tuples(st.none() | NUMBERS, st.none() | st.integers(1, 40)), max_size=3),
)
def test_connections_suffice_unless_somebody_has_decided_otherwise(
    workers: int | None,
    threads: int | None,
    wanted_workers: int,
    wanted_threads: int,
    limits: list[tuple[int | None, int | None]],
):
    budgets = [
        Budget(alias=str(index), limit=limit, pool=pool)
        for index, (limit, pool) in enumerate(limits)
    ]
    sizing = compute(
        workers=workers,
        threads=threads,
        wanted_workers=wanted_workers,
        wanted_threads=wanted_threads,
        budgets=budgets,
    )
    assert sizing.workers >= 1
    assert sizing.threads >= 1
    assert workers is None or sizing.workers == workers
    assert threads is None or sizing.threads == threads
    for item, needed in sizing.exceeded():
        # One process with one thread is the least there can be; more were asked for.
        least = ROWS * (workers or 1) * (item.pool or threads or 1)
        assert item.limit is not None
        assert needed == ROWS * sizing.workers * (item.pool or sizing.threads)
        assert least > item.limit
    # What databases allow is not left unused.
    if not any(limit is not None for limit, _ in limits):
        assert sizing.workers == (workers or wanted_workers)
        assert sizing.threads == (threads or wanted_threads)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (2, 8)),
        ({"count": 1}, (2, 8)),
        ({"count": 8}, (8, 8)),
        ({"worker": "sync"}, (5, 1)),
        ({"worker": "gevent"}, (2, 100)),
        ({"workers": 3}, (3, 8)),
        ({"workers": 3, "threads": 2}, (3, 2)),
        ({"asynchronous": True, "worker": None}, (2, 24)),
        ({"asynchronous": True, "worker": None, "lanes": 5}, (2, 5)),
        ({"environ": {"WEB_CONCURRENCY": "7"}}, (7, 8)),
        ({"environ": {"WEB_CONCURRENCY": ""}}, (2, 8)),
        # The configuration's own word is stronger.
        ({"environ": {"WEB_CONCURRENCY": "7"}, "workers": 3}, (3, 8)),
    ],
)
def test_numbers_without_databases(given: dict[str, Any], expected: tuple[int, int]):
    sizing = decided(**given)
    assert (sizing.workers, sizing.threads) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (2, 8)),
        ({"count": 8}, (8, 5)),
        ({"count": 100}, (45, 1)),
        ({"worker": "gevent"}, (2, 22)),
        ({"connections": 1000, "worker": "gevent"}, (2, 100)),
        ({"connections": {"default": 8}}, (2, 2)),
        ({"connections": {"other": 8}}, (2, 8)),
        ({"connections": 1}, (1, 1)),
        ({"threads": 30}, (1, 30)),
        ({"asynchronous": True, "worker": None, "count": 4}, (4, 11)),
    ],
)
def test_numbers_with_a_postgres(given: dict[str, Any], expected: tuple[int, int]):
    sizing = decided(engine("postgresql"), **given)
    assert (sizing.workers, sizing.threads) == expected


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "٣"])
def test_wrong_variable_is_explained(text: str):
    with pytest.raises(ConfigError, match="WEB_CONCURRENCY"):
        decided(environ={"WEB_CONCURRENCY": text})


def test_limits_are_the_engines_own_and_shared_by_one_server():
    databases = {
        "default": {"ENGINE": "django.db.backends.postgresql", "HOST": "one"},
        "other": {"ENGINE": "django.contrib.gis.db.backends.postgis", "HOST": "one"},
        "third": {"ENGINE": "django.db.backends.postgresql", "HOST": "two"},
        "mysql": {"ENGINE": "django.db.backends.mysql"},
        "file": {"ENGINE": "django.db.backends.sqlite3"},
        "unknown": {"ENGINE": "somewhere.else"},
    }
    limits = {item.alias: item.limit for item in find_budgets(databases, None)}
    assert limits == {
        "default": LIMITS["postgresql"] // 2,
        "other": LIMITS["postgresql"] // 2,
        "third": LIMITS["postgresql"],
        "mysql": LIMITS["mysql"],
        "file": None,
        "unknown": None,
    }
    told = {item.alias: item.limit for item in find_budgets(databases, 30)}
    assert told == {**dict.fromkeys(databases, 30), "file": None}


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (None, None),
        (False, None),
        (True, 4),
        ({}, None),
        ({"timeout": 5}, 4),
        ({"min_size": 2}, 2),
        ({"min_size": 2, "max_size": 9}, 9),
    ],
)
def test_pool_counts_as_large_as_it_gets(pool: object, expected: int | None):
    entry = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": pool}}
    (budget,) = find_budgets({"default": entry}, None)
    assert budget.pool == expected


def test_usual_limit_of_postgres_is_below_what_it_allows():
    require_postgres()
    import psycopg

    with psycopg.connect("postgresql://postgres@127.0.0.1:5432/postgres") as connection:
        row = connection.execute("SELECT reset_val FROM pg_settings WHERE name='max_connections'")
        allowed = int(row.fetchone()[0])  # type: ignore[index]
    assert LIMITS["postgresql"] < min(allowed, 100)


def test_what_does_not_suffice_is_told_in_words():
    sizing = decided(engine("postgresql"), workers=10, threads=10)
    (text,) = explain(sizing)
    assert text.startswith("database 'default' allows 90 connections, and 200 may be held: ")
    assert "10 processes with 10 threads" in text
    assert explain(decided(engine("postgresql"))) == []


SHOW = """
from server import service
service.setup()
from django.conf import settings
entry = settings.DATABASES["default"]
pool = entry["OPTIONS"].get("pool") or {}
lanes = service.engine.rules.lanes.size
print(lanes, entry["CONN_MAX_AGE"], pool.get("min_size"), pool.get("max_size"))
"""


@pytest.mark.parametrize(
    ("backend", "config", "pooled", "expected"),
    [
        # Lanes and pools of a service without a Deployment are as they were.
        ("starlette", "Health()", False, "24 600 None None"),
        ("starlette", "Health()", True, "24 0 1 24"),
        ("flask", "Health()", True, "24 0 None None"),
        ("starlette", "Deployment(workers=4)", False, "11 600 None None"),
        ("starlette", "Deployment(workers=4)", True, "11 0 1 11"),
        ("flask", "Deployment(workers=9)", True, "24 0 1 5"),
        ("flask", "Deployment(workers=9)", False, "24 600 None None"),
        # A connection that a greenlet has opened ends with it.
        ("flask", "Deployment(worker='gevent')", False, "24 0 None None"),
    ],
)
def test_lanes_and_pools_follow(
    tmp_path: Path, backend: str, config: str, pooled: bool, expected: str
):
    database = POSTGRES.replace("host=", f"pooled={pooled}, host=")
    folder = make_of(tmp_path, source(f"backend='{backend}'", config, database))
    (folder / "show.py").write_text(SHOW)
    done = subprocess.run(
        [sys.executable, "show.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected


def test_pool_that_was_made_for_the_threads_does_not_count_twice(tmp_path: Path):
    database = POSTGRES.replace("host=", "pooled=True, host=")
    folder = make_of(tmp_path, source("backend='flask'", "Deployment()", database))
    config = deploy(folder, "--processors", "8", WEB_CONCURRENCY="")["gunicorn.conf.py"]
    assert '"WEB_CONCURRENCY", "8"' in config
    assert "threads = 5\n" in config


def test_variable_decides_while_files_are_written(tmp_path: Path):
    folder = make_of(tmp_path, source("backend='starlette'", "Deployment()"))
    unit = deploy(folder, WEB_CONCURRENCY="6")["shop.service"]
    assert "--workers 6 " in unit
    assert "Environment=WEB_CONCURRENCY=6\n" in unit
    done = run_command(folder, "deploy", WEB_CONCURRENCY="many")
    assert done.returncode != 0
    assert "WEB_CONCURRENCY='many'" in done.stderr
    assert "Traceback" not in done.stderr
