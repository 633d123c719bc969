"""Which adapter a `backend` value means."""

import importlib
from importlib.util import find_spec as real_find_spec
from types import ModuleType
from typing import Any

import pytest

from utilmeta.core.server import registry
from utilmeta.core.server.registry import NAMES, adapter_class, check_mode, find_adapter
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

INSTALLED = [name for name in NAMES if real_find_spec(name) is not None]
ASYNC_ONLY = ["starlette", "fastapi", "sanic", "tornado"]


@pytest.mark.parametrize("name", INSTALLED)
def test_name_and_module_mean_the_same_adapter(name: str):
    by_name, no_app = find_adapter(name)
    by_module, _ = find_adapter(importlib.import_module(name))
    assert by_name is by_module is adapter_class(name)
    assert by_name.name == name
    assert no_app is None
    assert find_adapter(name.upper())[0] is by_name


@pytest.mark.parametrize("name", INSTALLED)
def test_adapter_keeps_the_promises_of_the_table(name: str):
    adapter = adapter_class(name)
    assert adapter.default_port == (5000 if name == "flask" else 8000)
    assert adapter.asynchronous is (name in ASYNC_ONLY)
    assert not adapter.__abstractmethods__


def make_app(name: str) -> Any:
    if name == "flask":
        return importlib.import_module("flask").Flask("x")
    if name == "starlette":
        return importlib.import_module("starlette.applications").Starlette()
    if name == "fastapi":
        return importlib.import_module("fastapi").FastAPI()
    if name == "sanic":
        return importlib.import_module("sanic").Sanic("unit_registry")
    return importlib.import_module("tornado.web").Application()


@pytest.fixture
def app(request: pytest.FixtureRequest):
    made = make_app(request.param)
    yield request.param, made
    if request.param == "sanic":
        type(made).unregister_app(made)


@pytest.mark.parametrize("app", [name for name in INSTALLED if name != "django"], indirect=True)
def test_application_object_means_its_framework(app: tuple[str, Any]):
    name, made = app
    adapter, used = find_adapter(made)
    assert adapter is adapter_class(name)
    assert used is made


@pytest.mark.parametrize("asynchronous", [False, True])
def test_django_handler_means_django(asynchronous: bool):
    handlers = importlib.import_module(f"django.core.handlers.{'asgi' if asynchronous else 'wsgi'}")
    handler = (handlers.ASGIHandler if asynchronous else handlers.WSGIHandler)()
    adapter, used = find_adapter(handler)
    assert (adapter.name, used) == ("django", handler)
    assert check_mode(adapter, used, None) is asynchronous


@pytest.mark.skipif("flask" not in INSTALLED, reason="needs Flask")
def test_subclass_of_an_application_means_its_framework():
    flask = importlib.import_module("flask")
    subclass = type("Subclass", (flask.Flask,), {})
    assert find_adapter(subclass("x"))[0].name == "flask"
    with pytest.raises(ConfigError, match="is no backend"):
        find_adapter(subclass)


@pytest.mark.parametrize(
    "backend",
    ["bottle", "", "flask.app", None, 7, object(), importlib, ModuleType("bottle"), {}],
    ids=lambda value: repr(value) if isinstance(value, str) else type(value).__name__,
)
def test_unknown_backend_is_a_config_error_that_lists_the_six(backend: Any):
    with pytest.raises(ConfigError) as caught:
        find_adapter(backend)
    message = str(caught.value)
    assert message.startswith("UtilMeta(backend=...)")
    assert all(name in message for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_missing_framework_is_one_error_with_the_line_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(registry, "find_spec", lambda _name: None)
    with pytest.raises(DependencyNotInstalled) as caught:
        find_adapter(name)
    assert f"backend '{name}'" in str(caught.value)
    assert caught.value.package == name
    if name != "django":
        assert f"pip install 'utilmeta[{name}]'" in str(caught.value)


def test_missing_django_names_something_pip_can_install(monkeypatch: pytest.MonkeyPatch):
    # setup.cfg has no extra named django: Django is a hard dependency.
    monkeypatch.setattr(registry, "find_spec", lambda _name: None)
    with pytest.raises(DependencyNotInstalled) as caught:
        find_adapter("django")
    assert caught.value.requirement in {"utilmeta", "Django"}


@pytest.mark.parametrize("name", [name for name in INSTALLED if name in ASYNC_ONLY])
def test_sync_service_on_an_event_loop_is_a_config_error(name: str):
    with pytest.raises(ConfigError) as caught:
        check_mode(adapter_class(name), None, False)
    message = str(caught.value)
    assert "UtilMeta(asynchronous=False)" in message
    assert name in message
    assert "django or flask" in message


@pytest.mark.parametrize("name", INSTALLED)
@pytest.mark.parametrize("asynchronous", [None, True])
def test_mode_is_what_was_said_or_the_frameworks_nature(name: str, asynchronous: bool | None):
    nature = name in ASYNC_ONLY
    wanted = nature if asynchronous is None else asynchronous
    assert check_mode(adapter_class(name), None, asynchronous) is wanted


@pytest.mark.parametrize("value", ["no", 0, 1])
def test_mode_that_is_no_bool_is_a_config_error(value: Any):
    with pytest.raises(ConfigError, match="asynchronous"):
        check_mode(adapter_class("django"), None, value)
