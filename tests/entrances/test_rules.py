"""What the settings path refuses, forces, warns of and explains."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entrances.projects import (
    MANAGE,
    PLAIN_URLS,
    PROJECT,
    PROJECT_SERVICE,
    SETTINGS,
    SHOP,
    Done,
    python,
    script,
    write,
)

SERVICE = {"SERVICE": "project.service.service"}
HEAD = """
import json
from utilmeta import UtilMeta
from utilmeta.conf import Time
from utilmeta.core.cache import Cache, CacheConnections
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings
from utilmeta.utils.exceptions import ConfigError


def tell(**facts):
    print("FACTS " + json.dumps(facts, default=str))


def error_of(call):
    try:
        call()
    except ConfigError as exc:
        return str(exc)
    return None

"""


def program(folder: Path, text: str, **env: str) -> Any:
    """Run a program and return what it told."""
    return script(folder, HEAD + text, **env).facts


def project(folder: Path, **settings: str) -> Path:
    """Write a project whose settings end with given lines, `NAME=text of a value`."""
    lines = "".join(f"{name} = {text}\n" for name, text in settings.items())
    return write(folder, {**PROJECT, "project/settings.py": SETTINGS + lines})


# -- production ---------------------------------------------------------------------------------

PRODUCTION = """
service = UtilMeta("shop", name="shop", backend="flask", production=True)
service.use(DjangoSettings({arguments}))
error = error_of(service.setup)
from django.conf import settings
tell(error=error, debug=None if error else settings.DEBUG)
"""


def test_production_forces_debug_off_in_an_existing_project(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = program(folder, PRODUCTION.format(arguments="module_name='project.settings'"))
    assert done == {"error": None, "debug": False}


def test_production_forces_debug_off_under_manage_py(tmp_path: Path) -> None:
    service = PROJECT_SERVICE.replace('backend="django",', 'backend="django", production=True,')
    folder = write(tmp_path, {**PROJECT, "project/service.py": service})
    done = python(folder, "manage.py", "utilmeta_settings", "DEBUG", "--json", **SERVICE)
    assert json.loads(done.out) == [
        {
            "name": "DEBUG",
            "value": False,
            "rule": "keep; production forces False",
            "origin": "UtilMeta",
        }
    ]


def test_production_demands_a_secret_key_in_a_fresh_service(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    done = program(tmp_path, PRODUCTION.format(arguments=""))
    assert "needs a secret key: give DjangoSettings(secret_key=...)" in done["error"]
    done = program(tmp_path, PRODUCTION.format(arguments="secret_key='k'"))
    assert done == {"error": None, "debug": False}


@pytest.mark.parametrize("key", ["''", None])
def test_production_demands_a_secret_key_in_an_existing_project(
    key: str | None, tmp_path: Path
) -> None:
    text = SETTINGS.replace('SECRET_KEY = "the-projects-key"', f"SECRET_KEY = {key}" if key else "")
    folder = write(tmp_path, {**PROJECT, "project/settings.py": text})
    done = program(folder, PRODUCTION.format(arguments="module_name='project.settings'"))
    assert "needs a secret key" in done["error"]


def test_an_empty_secret_key_of_a_project_is_replaced(tmp_path: Path) -> None:
    folder = project(tmp_path, SECRET_KEY="''")
    arguments = "module_name='project.settings', secret_key='given'"
    assert program(folder, PRODUCTION.format(arguments=arguments))["error"] is None


def test_a_fresh_service_without_a_key_has_a_random_one_and_a_warning(tmp_path: Path) -> None:
    text = """
service = UtilMeta("shop", name="shop", backend="flask")
service.setup()
from django.conf import settings
from django.core.checks import run_checks
tell(key=settings.SECRET_KEY, debug=settings.DEBUG, ids=[item.id for item in run_checks()],
     origin=service.settings.origins["SECRET_KEY"])
"""
    first, second = program(tmp_path, text), program(tmp_path, text)
    assert first["key"] != second["key"]
    assert len(first["key"]) >= 50
    assert first["debug"] is True
    assert "utilmeta.W002" in first["ids"]
    assert first["origin"][1] == "random, made for this process"


# -- after the registry is ready ----------------------------------------------------------------

EXTRA_APP = PROJECT_SERVICE.replace("configure(service)", "").rstrip() + (
    "\n\nfrom utilmeta.core.server.backends.django import DjangoSettings\n"
    'service.use(DjangoSettings(apps=["shop", "forgotten"]))\n'
)


def with_forgotten_app(folder: Path) -> Path:
    files = {"project/service.py": EXTRA_APP, "forgotten/__init__.py": ""}
    return write(folder, {**PROJECT, **files})


def test_apps_are_left_alone_once_the_registry_is_ready(tmp_path: Path) -> None:
    text = """
import django
django.setup()
from django.apps import apps
from django.conf import settings
tell(installed=settings.INSTALLED_APPS, apps=[config.name for config in apps.get_app_configs()])
"""
    env = {**SERVICE, "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = program(with_forgotten_app(tmp_path), text, **env)
    assert done["installed"] == done["apps"]
    assert "forgotten" not in done["installed"]
    assert done["installed"][-2:] == ["utilmeta", "shop"]


def test_manage_py_check_names_the_line_to_add(tmp_path: Path) -> None:
    done = python(with_forgotten_app(tmp_path), "manage.py", "check", **SERVICE)
    assert done.status == 0, done.text
    assert "(utilmeta.W003)" in done.text
    assert "Add to INSTALLED_APPS in the settings module: 'forgotten'." in done.text
    done = python(tmp_path, "manage.py", "check", "--fail-level", "WARNING", **SERVICE)
    assert done.status == 1


def test_manage_py_check_is_silent_when_nothing_is_missing(tmp_path: Path) -> None:
    folder = write(tmp_path, PROJECT)
    done = python(folder, "manage.py", "check", "--fail-level", "INFO", **SERVICE)
    assert done.status == 0, done.text
    assert "no issues" in done.text


def test_utilmeta_itself_is_named_when_the_project_does_not_install_it(tmp_path: Path) -> None:
    text = """
import django
django.setup()
from project.service import service
service.setup()
from django.conf import settings
from django.core.checks import run_checks
tell(installed=settings.INSTALLED_APPS,
     hints=[item.hint for item in run_checks() if item.id == "utilmeta.W003"])
"""
    settings = SETTINGS.replace('    "utilmeta",\n', "")
    files = {"project/settings.py": settings, "project/urls.py": PLAIN_URLS}
    folder = write(tmp_path, {**PROJECT, **files})
    done = program(folder, text, DJANGO_SETTINGS_MODULE="project.settings")
    assert "utilmeta" not in done["installed"]
    assert done["hints"] == ["Add to INSTALLED_APPS in the settings module: 'utilmeta'."]


def test_a_key_class_that_comes_too_late_for_the_models_is_warned_of(tmp_path: Path) -> None:
    options = 'apps=["shop"], default_autofield="django.db.models.SmallAutoField"'
    service = EXTRA_APP.replace('apps=["shop", "forgotten"]', options)
    text = """
import django
django.setup()
from django.core.checks import run_checks
from shop.models import Product
hints = [str(item.hint) for item in run_checks() if item.id.startswith("utilmeta.")]
tell(kind=type(Product._meta.pk).__name__, hints=hints)
"""
    folder = write(tmp_path, {**PROJECT, "project/service.py": service})
    env = {**SERVICE, "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = program(folder, text, **env)
    assert done["kind"] == "SmallAutoField" or "DEFAULT_AUTO_FIELD" in "".join(done["hints"]), done


def test_a_time_zone_asked_for_before_is_not_kept(tmp_path: Path) -> None:
    models = SHOP["shop/models.py"] + "\n\nfrom django.utils import timezone\n"
    models += "\nLOADED = timezone.localtime()\n"
    text = """
import django
django.setup()
from datetime import datetime, timezone as zones
from django.utils import timezone
moment = datetime(2026, 6, 1, 12, tzinfo=zones.utc)
tell(name=timezone.get_default_timezone_name(), local=timezone.localtime(moment).isoformat())
"""
    folder = write(tmp_path, {**PROJECT, "shop/models.py": models})
    env = {**SERVICE, "DJANGO_SETTINGS_MODULE": "project.settings"}
    done = program(folder, text, **env)
    assert done == {"name": "Asia/Shanghai", "local": "2026-06-01T20:00:00+08:00"}


def test_apps_are_installed_while_the_registry_is_not_ready(tmp_path: Path) -> None:
    text = """
service = UtilMeta("shop", name="shop", backend="flask")
service.use(DjangoSettings(module_name="project.settings", apps=["forgotten", "shop"]))
service.setup()
from django.conf import settings
tell(installed=settings.INSTALLED_APPS, origin=service.settings.origins["INSTALLED_APPS"])
"""
    done = program(with_forgotten_app(tmp_path), text)
    assert done["installed"][-3:] == ["utilmeta", "shop", "forgotten"]
    assert done["origin"] == ["append what is missing", "existing project, DjangoSettings"]


def test_a_urlconf_that_does_not_lead_to_the_api_is_warned_of(tmp_path: Path) -> None:
    folder = write(tmp_path, {**PROJECT, "project/urls.py": PLAIN_URLS})
    done = python(folder, "manage.py", "check", **SERVICE)
    assert done.status == 0, done.text
    assert "(utilmeta.W004)" in done.text
    assert "path('', include('utilmeta.urls'))" in done.text


# -- manage.py utilmeta_settings ----------------------------------------------------------------


def test_utilmeta_settings_shows_value_rule_and_origin(tmp_path: Path) -> None:
    folder = write(tmp_path, PROJECT)
    done = python(folder, "manage.py", "utilmeta_settings", **SERVICE)
    assert done.status == 0, done.text
    assert (
        "TIME_ZONE = 'Asia/Shanghai'\n    set by: Time\n    rule:   keep unless the user named it"
    ) in done.out
    assert "SHOP_LIMIT = 7\n    set by: DjangoSettings\n    rule:   set if absent" in done.out
    assert "the-projects-key" not in done.text
    shown = json.loads(python(folder, "manage.py", "utilmeta_settings", "--json", **SERVICE).out)
    rows = {row["name"]: row for row in shown}
    assert rows["ROOT_URLCONF"]["value"] == "project.urls"
    assert rows["ROOT_URLCONF"]["origin"] == "existing project"
    assert rows["DATABASES"]["origin"] == "existing project, DatabaseConnections"
    assert all(row["rule"] and row["origin"] for row in shown)


def test_utilmeta_settings_masks_secrets_inside_values(tmp_path: Path) -> None:
    folder = project(tmp_path)
    service = PROJECT_SERVICE.replace("configure(service)", "") + (
        "from utilmeta.core.cache import CacheConnections\n"
        "from utilmeta.core.cache.backends.redis import RedisCache\n"
        "from utilmeta.core.orm import Database, DatabaseConnections\n"
        "service.use(CacheConnections({'default': RedisCache(), "
        "'far': RedisCache(host='far', password='pa55-redis')}))\n"
        "service.use(DatabaseConnections({'default': Database(name='x'), 'far': Database("
        "engine='postgresql', name='x', password='pa55-database')}))\n"
    )
    write(folder, {"project/service.py": service})
    for options in ([], ["--json"]):
        done = python(folder, "manage.py", "utilmeta_settings", *options, **SERVICE)
        assert done.status == 0, done.text
        assert "far" in done.out
        assert "pa55" not in done.text


def test_utilmeta_settings_refuses_what_the_service_does_not_compose(tmp_path: Path) -> None:
    folder = write(tmp_path, PROJECT)
    done = python(folder, "manage.py", "utilmeta_settings", "STATIC_URL", **SERVICE)
    assert done.status == 1
    assert "does not compose STATIC_URL" in done.err
    done = python(folder, "manage.py", "utilmeta_settings")
    assert done.status == 1
    assert "UTILMETA_SERVICE" in done.err


# -- once, for all threads ----------------------------------------------------------------------


def test_setup_happens_once_however_many_threads_ask(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    text = """
import threading
from dataclasses import dataclass
from utilmeta.conf import Config

calls = []


@dataclass(frozen=True)
class Slow(Config):
    def setup(self, service):
        import time

        calls.append(service.name)
        time.sleep(0.2)


service = UtilMeta("shop", name="shop", backend="flask", api="shop.api.RootAPI", route="/api")
service.use(Slow()).use(DjangoSettings(apps=["shop"]))
found, barrier = [], threading.Barrier(24)


def ask():
    barrier.wait()
    service.setup()
    found.append((id(service.engine), len(service.engine.operations), id(service.application())))


threads = [threading.Thread(target=ask) for _ in range(24)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(30)
same = service.setup() is service
from django.apps import apps
tell(calls=calls, found=len(found), different=len(set(found)), same=same, ready=apps.ready,
     operations=found[0][1])
"""
    assert program(tmp_path, text) == {
        "calls": ["shop"],
        "found": 24,
        "different": 1,
        "same": True,
        "ready": True,
        # Four of the API, four that describe it.
        "operations": 8,
    }


def test_setup_that_failed_fails_again_in_the_same_way(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    text = """
service = UtilMeta("shop", name="shop", backend="flask", api="shop.api.RotAPI")
service.use(DjangoSettings(apps=["shop"]))
tell(errors=[error_of(service.setup), error_of(service.setup), error_of(service.application)])
"""
    first, *others = program(tmp_path, text)["errors"]
    assert "'shop.api'" in first
    assert "RootAPI" in first
    assert others == [first, first]


def test_use_after_setup_is_refused(tmp_path: Path) -> None:
    text = """
service = UtilMeta("shop", name="shop", backend="flask")
service.use(Time())
twice = error_of(lambda: service.use(Time()))
service.setup()
tell(twice=twice, late=error_of(lambda: service.use(CacheConnections({"default": Cache()}))))
"""
    done = program(tmp_path, text)
    assert "there is one already" in done["twice"]
    assert "set up already" in done["late"]


# -- settings modules ---------------------------------------------------------------------------

NAMED = """
service = UtilMeta("shop", name="shop", backend="flask")
service.use(DjangoSettings(module_name="{module}"))
{before}
tell(error=error_of(service.setup))
"""


@pytest.mark.parametrize("module", ["no_such_module", "project.no_such_settings", "project.broken"])
def test_a_settings_module_that_cannot_be_imported_is_refused(module: str, tmp_path: Path) -> None:
    folder = write(tmp_path, {**PROJECT, "project/broken.py": "import no_such_library\n"})
    error = program(folder, NAMED.format(module=module, before=""))["error"]
    assert error is not None
    assert repr(module) in error
    assert "DjangoSettings(module_name=...)" in error


def test_another_settings_module_than_the_one_in_force_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, {**PROJECT, "project/other.py": SETTINGS})
    before = "from django.conf import settings; settings.DEBUG"
    error = program(
        folder,
        NAMED.format(module="project.other", before=before),
        DJANGO_SETTINGS_MODULE="project.settings",
    )["error"]
    assert "'project.other'" in error
    assert "'project.settings'" in error


def test_settings_made_in_code_are_joined_and_cannot_be_named(tmp_path: Path) -> None:
    text = """
from django.conf import settings
settings.configure(SECRET_KEY="k", TIME_ZONE="Europe/Berlin", MY_OWN=[1])
service = UtilMeta("shop", name="shop", backend="flask")
{use}
error = error_of(service.setup)
tell(error=error, zone=settings.TIME_ZONE, own=settings.MY_OWN, key=settings.SECRET_KEY)
"""
    assert program(tmp_path, text.format(use="")) == {
        "error": None,
        "zone": "Europe/Berlin",
        "own": [1],
        "key": "k",
    }
    use = 'service.use(DjangoSettings(module_name="project.settings"))'
    assert "settings made in code" in program(tmp_path, text.format(use=use))["error"]


def test_a_list_setting_that_holds_a_text_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path, MIDDLEWARE="'project.middleware'")
    text = NAMED.replace("{before}", "").format(module="project.settings")
    text = text.replace("module_name=", "middleware=['a'], module_name=")
    assert "MIDDLEWARE: expected a list of texts, got str" in program(folder, text)["error"]


# -- databases and caches -----------------------------------------------------------------------

ALIASES = """
service = UtilMeta("shop", name="shop", backend="flask")
service.use(DjangoSettings(module_name="project.settings"))
{use}
service.setup()
from django.conf import settings
from django.core.cache import caches
from django.db import connections
tell(
    databases={{name: str(entry.get("NAME")) for name, entry in settings.DATABASES.items()}},
    engines={{name: connections[name].settings_dict["ENGINE"] for name in connections}},
    caches={{name: type(caches[name]).__name__ for name in caches}},
    origins={{name: service.settings.origins[name][1] for name in ("CACHES", "DATABASES")}},
)
"""


def without(name: str, folder: Path, **settings: str) -> Path:
    """Write a project that says nothing of a setting."""
    before, _, after = SETTINGS.partition(f"\n{name} = {{")
    text = before + after.partition("\n}\n")[2].join(["\n", ""])
    lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
    return write(folder, {**PROJECT, "project/settings.py": text + lines})


def test_caches_of_the_service_are_used_where_the_project_has_none(tmp_path: Path) -> None:
    folder = without("CACHES", tmp_path)
    use = 'service.use(CacheConnections({"default": Cache(engine="dummy"), "far": RedisCache()}))'
    done = program(folder, ALIASES.format(use=use))
    assert done["caches"] == {"default": "DummyCache", "far": "RedisCache"}
    assert done["origins"]["CACHES"] == "CacheConnections"


def test_databases_of_the_service_are_used_where_the_project_has_none(tmp_path: Path) -> None:
    folder = without("DATABASES", tmp_path)
    use = 'service.use(DatabaseConnections({"default": Database(name="mine.sqlite3")}))'
    done = program(folder, ALIASES.format(use=use))
    assert done["engines"] == {"default": "django.db.backends.sqlite3"}
    assert done["databases"] == {"default": done["databases"]["default"]}
    assert done["databases"]["default"].endswith("/mine.sqlite3")
    assert done["origins"]["DATABASES"] == "DatabaseConnections"


@pytest.mark.parametrize("default", ["{}", "{'default': {}}"])
def test_a_project_without_a_default_database_keeps_none(default: str, tmp_path: Path) -> None:
    # Django documents both: every query must then name its database.
    folder = without("DATABASES", tmp_path, DATABASES=default)
    done = program(folder, ALIASES.format(use=""))
    assert done["engines"] == {"default": "django.db.backends.dummy"}


def test_a_new_alias_is_seen_by_connections_opened_before(tmp_path: Path) -> None:
    folder = write(tmp_path, PROJECT)
    text = """
import django
django.setup()
from django.core.cache import caches
from django.db import connections
before = [sorted(connections), sorted(caches)]
connections["default"].cursor().execute("SELECT 1")
service = UtilMeta("shop", name="shop", backend="flask")
service.use(DatabaseConnections({"default": Database(name="x"), "new": Database(name=":memory:")}))
service.use(CacheConnections({"default": Cache(), "new": Cache(engine="dummy")}))
service.setup()
connections["new"].cursor().execute("SELECT 1")
tell(before=before, after=[sorted(connections), sorted(caches)],
     timeout=connections["default"].settings_dict["OPTIONS"]["timeout"],
     atomic=connections["new"].settings_dict["ATOMIC_REQUESTS"])
"""
    done = program(folder, text, DJANGO_SETTINGS_MODULE="project.settings")
    assert done == {
        "before": [["default", "legacy"], ["default", "local"]],
        "after": [["default", "legacy", "new"], ["default", "local", "new"]],
        "timeout": 11,
        "atomic": False,
    }


def test_atomic_requests_of_a_project_work(tmp_path: Path) -> None:
    settings = SETTINGS + "\nDATABASES['default']['ATOMIC_REQUESTS'] = True\n"
    folder = write(tmp_path, {**PROJECT, "project/settings.py": settings})
    text = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", run_syncdb=True, verbosity=0)
client = Client(headers={"host": "shop.example"})
answers = [client.post("/api/add?name=a"), client.get("/api/products/1")]
tell(answers=[[answer.status_code, answer.content.decode()] for answer in answers])
"""
    env = {**SERVICE, "DJANGO_SETTINGS_MODULE": "project.settings"}
    assert program(folder, text, **env)["answers"] == [
        [200, "1"],
        [200, '{"id":1,"name":"a","price":"1.00"}'],
    ]


def test_atomic_requests_take_back_what_a_failed_request_wrote(tmp_path: Path) -> None:
    settings = SETTINGS + "\nDATABASES['default']['ATOMIC_REQUESTS'] = True\n"
    api = SHOP["shop/api.py"] + (
        "\n    @api.post\n    def fail(self, refuse: bool):\n"
        "        Product.objects.create(name='half', price=1)\n"
        "        if refuse:\n            raise exceptions.Conflict('no')\n"
        "        raise ValueError('broken')\n"
    )
    api = "from utilmeta.utils import exceptions\n" + api.lstrip()
    files = {"project/settings.py": settings, "shop/api.py": api}
    folder = write(tmp_path, {**PROJECT, **files})
    text = """
import logging
import django
django.setup()
logging.disable()
from django.core.management import call_command
from django.test import Client
from shop.models import Product
call_command("migrate", run_syncdb=True, verbosity=0)
client = Client(headers={"host": "shop.example"})
answers = [client.post(f"/api/fail?refuse={value}") for value in (1, 0)]
tell(statuses=[answer.status_code for answer in answers], stored=Product.objects.count())
"""
    env = {**SERVICE, "DJANGO_SETTINGS_MODULE": "project.settings"}
    assert program(folder, text, **env) == {"statuses": [409, 500], "stored": 0}


# -- declarations -------------------------------------------------------------------------------


def test_a_wrong_schema_is_refused_by_setup_not_by_the_first_request(tmp_path: Path) -> None:
    write(tmp_path, SHOP)
    api = (tmp_path / "shop/api.py").read_text(encoding="utf-8")
    (tmp_path / "shop/api.py").write_text(api.replace("    name: str\n", "    nmae: str\n"))
    text = """
service = UtilMeta("shop", name="shop", backend="flask", api="shop.api.RootAPI", route="/api")
service.use(DjangoSettings(apps=["shop"]))
tell(error=error_of(service.setup))
"""
    error = program(tmp_path, text)["error"]
    assert error is not None
    assert "Product has no field 'nmae'; did you mean 'name'" in error


def manage(folder: Path, *arguments: str, **env: str) -> Done:
    return python(folder, "manage.py", *arguments, **env)


def test_migrations_are_made_and_run_for_a_fresh_service_and_a_project(tmp_path: Path) -> None:
    folder = write(tmp_path, {**PROJECT, "manage.py": MANAGE})
    for command in (["makemigrations", "shop"], ["migrate"], ["showmigrations", "shop"]):
        done = manage(folder, *command, **SERVICE)
        assert done.status == 0, done.text
    assert "[X] 0001_initial" in done.out
    fresh = write(
        tmp_path / "fresh",
        {
            **SHOP,
            "server.py": PROJECT_SERVICE.replace('backend="django"', 'backend="flask"'),
        },
    )
    for command in (["makemigrations", "shop"], ["migrate"], ["showmigrations", "shop"]):
        done = python(fresh, "-m", "utilmeta", *command)
        assert done.status == 0, done.text
    assert "[X] 0001_initial" in done.out
    assert (fresh / "db.sqlite3").exists()
