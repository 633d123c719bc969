"""One suite over the three entrances of the settings path.

A fresh service (`python server.py`), an existing Django project (`manage.py`), and an existing
Django project under another framework must come to the same answers.
"""

import ast
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.entrances.projects import (
    MOUNTED,
    PROJECT,
    SERVER,
    SHOP,
    Done,
    python,
    script,
    write,
)
from tests.servers import free_port, start_server

FRESH = ("fresh-django", "fresh-flask", "fresh-starlette")
MOUNTS = ("mounted-flask", "mounted-starlette")
ENTRANCES = (*FRESH, "project", *MOUNTS)
EXISTING = ("project", *MOUNTS)


def build(entrance: str, folder: Path, port: int = 8000) -> Path:
    """Write the project of an entrance."""
    kind, _, backend = entrance.partition("-")
    if kind == "fresh":
        server = SERVER.format(backend=backend, port=port)
        return write(folder, {**SHOP, "server.py": server})
    if kind == "mounted":
        server = MOUNTED.format(backend=backend, port=port)
        return write(folder, {**PROJECT, "server.py": server})
    return write(folder, PROJECT)


def enter(entrance: str, folder: Path) -> Done:
    """Go in by an entrance and tell the facts."""
    if entrance == "project":
        return python(folder, "manage.py", "facts", SERVICE="project.service.service")
    return python(folder, "facts.py", "server")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return {}


@pytest.fixture(params=ENTRANCES)
def facts(
    request: pytest.FixtureRequest,
    known: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Any:
    """Return the facts of an entrance, found out once."""
    return learn(request.param, known, tmp_path_factory)


def learn(entrance: str, known: dict[str, Any], factory: pytest.TempPathFactory) -> Any:
    if entrance not in known:
        folder = build(entrance, factory.mktemp(entrance))
        known[entrance] = {"folder": folder, "name": entrance, **enter(entrance, folder).facts}
    return known[entrance]


def value(facts: Any, name: str) -> Any:
    """Return a setting in force."""
    return ast.literal_eval(facts["settings"][name])


# -- the same answers ---------------------------------------------------------------------------


def test_the_answers_are_the_same(facts: Any) -> None:
    ok = [200, ["application/json"]]
    rows = [
        {"id": number, "name": name, "price": "2.50"}
        for number, name in enumerate(("Tee 茶", "Käse", "🌱"), start=1)
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    assert facts["products"] == [*ok, text]
    assert facts["product"][:2] == ok
    assert json.loads(facts["product"][2]) == rows[1]
    assert facts["values"] == [*ok, '{"zone":"Asia/Shanghai","limit":7}']
    problem = ["application/problem+json"]
    found = {name: facts[name][:2] for name in ("missing", "wrong", "unknown")}
    assert found == {"missing": [404, problem], "wrong": [400, problem], "unknown": [404, problem]}


def test_the_answers_have_the_same_bytes(
    known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = ("products", "product", "missing", "wrong", "unknown", "values")
    seen = [learn(entrance, known, tmp_path_factory) for entrance in ENTRANCES]
    for name in names:
        assert [item[name] for item in seen] == [seen[0][name]] * len(seen), name


def test_models_are_queried(facts: Any) -> None:
    assert facts["rows"] == ["Tee 茶", "Käse", "🌱"]


def test_the_apps_are_installed(facts: Any) -> None:
    assert {"utilmeta", "shop"} <= set(facts["apps"])
    assert len(facts["apps"]) == len(set(facts["apps"]))
    installed = value(facts, "INSTALLED_APPS")
    assert installed == facts["apps"]


def test_databases_and_caches_are_added_by_alias(facts: Any) -> None:
    folder = facts["folder"]
    mode = {"transaction_mode": "IMMEDIATE"}
    assert facts["archive"] == [42, str(folder / "archive.sqlite3"), {**mode, "timeout": 3}]
    databases, caches = value(facts, "DATABASES"), value(facts, "CACHES")
    assert databases["default"]["NAME"] == str(folder / "db.sqlite3")
    assert (folder / "db.sqlite3").exists()
    assert facts["cached"] == "välue"
    assert caches["slow"]["TIMEOUT"] == 60
    kept = facts["name"] in EXISTING
    assert databases["default"]["OPTIONS"] == ({"timeout": 11} if kept else mode)
    assert ("legacy" in databases, "local" in caches) == (kept, kept)
    assert caches["default"]["LOCATION"] == ("mine" if kept else "shop")


def test_what_the_user_named_holds(facts: Any) -> None:
    named = ("LANGUAGE_CODE", "TIME_ZONE", "USE_TZ", "APPEND_SLASH", "SHOP_LIMIT")
    values = [value(facts, name) for name in named]
    assert values == ["zh-hans", "Asia/Shanghai", True, False, 7]
    assert value(facts, "DEFAULT_AUTO_FIELD") == "django.db.models.BigAutoField"
    assert "shop.example" in value(facts, "ALLOWED_HOSTS")
    assert "django.middleware.common.CommonMiddleware" in value(facts, "MIDDLEWARE")


def test_the_time_zone_is_everybodys(facts: Any) -> None:
    assert facts["zone"] == "Asia/Shanghai"
    assert facts["local"] == "2026-06-01T20:00:00+08:00"
    assert facts["language"] == "zh-hans"


def test_the_time_zone_is_the_processs_as_well(facts: Any) -> None:
    # Where USE_TZ is off, Django stores datetime.now(); it sets TZ from the settings module.
    assert facts["naive"] == "2026-06-01T20:00:00"


def test_the_secret_key_is_the_projects_or_the_services(facts: Any) -> None:
    kept = facts["name"] in EXISTING
    assert value(facts, "SECRET_KEY") == ("the-projects-key" if kept else "the-services-key")


def test_each_composed_setting_has_a_rule_and_an_origin(facts: Any) -> None:
    kept = facts["name"] in EXISTING
    origins = facts["origins"]
    assert {name: origins[name] for name in ("SHOP_LIMIT", "TIME_ZONE", "LANGUAGE_CODE")} == {
        "SHOP_LIMIT": ["set if absent (extra)", "DjangoSettings"],
        "TIME_ZONE": ["keep unless the user named it", "Time"],
        "LANGUAGE_CODE": ["keep unless the user named it", "DjangoSettings"],
    }
    aliases = "existing project, DatabaseConnections" if kept else "DatabaseConnections"
    assert origins["DATABASES"] == ["keep each alias, add missing ones", aliases]
    assert origins["SECRET_KEY"][1] == ("existing project" if kept else "DjangoSettings")
    assert origins["DEBUG"][1] == ("existing project" if kept else "UtilMeta")
    assert origins["ROOT_URLCONF"][1] == ("existing project" if kept else "default of utilmeta")


# -- the project is left alone ------------------------------------------------------------------

SNAPSHOT = """
import json

import facts

print("FACTS " + json.dumps(facts.settings_in_force()))
"""

# What the rules change here; everything else must be as the project has it.
TOUCHED = {
    "DATABASES",
    "CACHES",
    "MIDDLEWARE",
    "ALLOWED_HOSTS",
    "LANGUAGE_CODE",
    "TIME_ZONE",
    "APPEND_SLASH",
    "SHOP_LIMIT",
}


def snapshot(folder: Path, **env: str) -> Any:
    """Return the settings of the project without any service."""
    return script(folder, SNAPSHOT, DJANGO_SETTINGS_MODULE="project.settings", **env).facts


@pytest.mark.parametrize("entrance", EXISTING)
def test_settings_that_no_rule_touches_are_unchanged(
    entrance: str, known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    facts = learn(entrance, known, tmp_path_factory)
    env = {"SERVICE": "project.service.service"} if entrance == "project" else {}
    before, after = snapshot(facts["folder"], **env), facts["settings"]
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert changed == TOUCHED
    assert len(before) > 140


@pytest.mark.parametrize("entrance", EXISTING)
def test_what_is_touched_is_only_added_to(
    entrance: str, known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    facts = learn(entrance, known, tmp_path_factory)
    before = {name: ast.literal_eval(text) for name, text in _literals(snapshot(facts["folder"]))}
    after = dict(_literals(facts["settings"]))
    for name in ("MIDDLEWARE", "ALLOWED_HOSTS"):
        found = ast.literal_eval(after[name])
        assert found[: len(before[name])] == before[name]
    assert ast.literal_eval(after["ALLOWED_HOSTS"]) == ["project.example", "shop.example"]
    for name, aliases in (("DATABASES", {"archive"}), ("CACHES", {"slow"})):
        found = ast.literal_eval(after[name])
        assert set(found) - set(before[name]) == aliases
        assert {alias: found[alias] for alias in before[name]} == before[name]


def _literals(settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in ("MIDDLEWARE", "ALLOWED_HOSTS", "DATABASES", "CACHES"):
        yield name, settings[name]


BARE = """
from utilmeta import UtilMeta
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(__name__, name="shop", backend={backend!r})
service.use(DjangoSettings(module_name="project.settings"))
"""

AFTER = """
import json
import os

if os.environ["BACKEND"] == "django":
    import django

    django.setup()
    from utilmeta import service
else:
    from bare import service

service.setup()
import facts

print("FACTS " + json.dumps(facts.settings_in_force()))
"""


@pytest.mark.parametrize("backend", ["django", "flask", "starlette"])
def test_a_service_that_is_told_nothing_changes_nothing(backend: str, tmp_path: Path) -> None:
    folder = write(tmp_path, {**PROJECT, "bare.py": BARE.format(backend=backend)})
    env = {"SERVICE": "bare.service", "DJANGO_SETTINGS_MODULE": "project.settings"}
    before = script(folder, SNAPSHOT, **env).facts
    after = script(folder, AFTER, BACKEND=backend, **env).facts
    assert {name: after.get(name) for name in before} == before
    assert set(after) == set(before)


def test_native_urls_of_the_project_keep_working(
    known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    facts = learn("project", known, tmp_path_factory)
    assert facts["native"][0] == 200
    assert facts["native"][2] == "native"


# -- real servers -------------------------------------------------------------------------------


@pytest.mark.sockets
@pytest.mark.parametrize("entrance", ["fresh-django", "project", "mounted-flask"])
def test_a_real_server_answers_the_same(entrance: str, tmp_path: Path) -> None:
    port = free_port()
    folder = build(entrance, tmp_path / "site", port)
    enter(entrance, folder)
    env = {"SERVICE": "project.service.service"} if entrance == "project" else {}
    command = ["python", "server.py"]
    if entrance == "project":
        command = ["python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with ExitStack() as stack:
        server = start_server(command, port, tmp_path / "log", cwd=folder, env=env)
        stack.callback(server.stop)
        answer = server.request("GET", "/api/products/3", headers={"Host": "shop.example"})
        assert (answer.status, json.loads(answer.body)) == (
            200,
            {"id": 3, "name": "🌱", "price": "2.50"},
        ), server.output()
        added = server.request(
            "POST",
            "/api/add?name=new",
            headers={"Host": "shop.example", "Content-Type": "application/json"},
        )
        assert (added.status, added.body) == (200, b"4"), server.output()
