"""The package as a whole: lazy root, fixed paths, docstrings, sizes."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import utilmeta

ROOT = Path(utilmeta.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
FRAMEWORKS = ("django", "flask", "werkzeug", "starlette", "fastapi", "sanic", "tornado", "uvicorn")


def names(module: str, *lists: str) -> list[str]:
    """Return the paths of a module's names, given in lists divided by spaces."""
    return [f"{module}:{name}" for text in lists for name in text.split()]


FIXED = [
    "utilmeta:UtilMeta",
    "utilmeta:__version__",
    "utilmeta.conf:Env",
    "utilmeta.conf:Time",
    "utilmeta.conf:Preference",
    "utilmeta.conf:Config",
    *names("utilmeta.conf", "Deployment Health Logging Metrics Tracing"),
    *names("utilmeta.utils.logs", "JSONLines ReadableLines RequestLabels"),
    "utilmeta.core.server.gateways.django_observed:ObserveMiddleware",
    "utilmeta.conf.time:Time",
    *names("utilmeta.testing", "override_service Client AsyncClient WebSocketSession"),
    "utilmeta.urls:urlpatterns",
    *names(
        "utilmeta.core.api",
        "API get post put patch delete ws route ref before after handle Error WebSocket",
        "Plugin CORS Cache RateLimit Retry Timeout BodyLimit Idempotency WebSocketDisconnect",
    ),
    *names(
        "utilmeta.core.request",
        "PathParam SlugPathParam FilePathParam QueryParam HeaderParam CookieParam BodyParam",
        "Path Query Headers Cookies Body Json Form FormParam Request Unset var RequestContextVar",
    ),
    *names("utilmeta.core.response", "Response SSEResponse ServerSentEvent JSONLinesResponse"),
    *names("utilmeta.core.file", "File Image Audio Video FileType"),
    "utilmeta.core.api.specs.openapi:OpenAPI",
    "utilmeta.conf.http:Cookie",
    *names(
        "utilmeta.core.auth",
        "User Require BaseAuthentication Identity InvalidCredentials CsrfError Rule Owns rule",
        "row_rule is_authenticated",
    ),
    "utilmeta.core.auth.base:BaseAuthentication",
    "utilmeta.core.auth.jwt:JsonWebToken",
    "utilmeta.core.auth.basic:BasicAuth",
    "utilmeta.core.auth.api_key:APIKey",
    "utilmeta.core.auth.signature:Signature",
    "utilmeta.core.auth.oauth2:OAuth2",
    "utilmeta.core.auth.session.cache:CacheSession",
    "utilmeta.core.auth.session.db:DBSession",
    "utilmeta.core.auth.session.cached_db:CachedDBSession",
    "utilmeta.core.auth.session.django:DjangoSession",
    *names(
        "utilmeta.core.orm", "DatabaseConnections Database Schema Field Rows QueryContext Atomic"
    ),
    *names(
        "utilmeta.core.orm", "EmptyQueryset MissingPrimaryKey UpdateFailed R A W WP Query Filter"
    ),
    *names("utilmeta.core.orm", "Search OrderBy Order Offset Limit Page Cursor Scope"),
    *names("utilmeta.core.orm.backends.django.expressions", "Count SubqueryCount SubquerySum"),
    *names(
        "utilmeta.core.cache",
        "CacheConnections Cache cache caches CacheClient DEFAULT Lock",
        "CacheUnavailable LockTaken LockLost",
    ),
    "utilmeta.core.cache.backends.redis:RedisCache",
    "utilmeta.core.server.backends.django:DjangoSettings",
    *names(
        "utilmeta.contrib.rest_framework",
        "Use Existing Router APIRoutes check_object_permissions make_document request_of",
        "DRFAuthentication",
    ),
    *names(
        "utilmeta.utils.exceptions",
        "HttpError BadRequest Unauthorized PermissionDenied NotFound MethodNotAllowed",
        "NotAcceptable Conflict PreconditionFailed RequestEntityTooLarge UnsupportedMediaType",
        "UnprocessableEntity TooManyRequests ServerError ServiceUnavailable MovedPermanently",
        "Found SeeOther TemporaryRedirect PermanentRedirect ConfigError DependencyNotInstalled",
    ),
]


def run_python(code: str) -> str:
    """Return what a fresh interpreter prints, without Django settings in its environment."""
    environ = {
        name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT.parent,
        env=environ,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_root_import_loads_no_framework():
    loaded = run_python(
        "import sys, utilmeta; print(*{name.split('.')[0] for name in sys.modules})"
    )
    assert not {*FRAMEWORKS, "pydantic", "msgspec"} & set(loaded.split())


def test_root_import_loads_only_the_version_of_the_package():
    loaded = run_python(
        "import sys, utilmeta; print(*sorted(n for n in sys.modules if n.startswith('utilmeta')))"
    )
    assert loaded.split() == ["utilmeta", "utilmeta._version"]


def test_root_service_is_an_import_error_that_says_how_to_make_one():
    told = run_python(
        "try:\n    from utilmeta import service\nexcept ImportError as exc:\n    print(exc)"
    )
    assert "no service" in told
    assert "UtilMeta(__name__" in told


def test_root_has_no_other_attributes():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = utilmeta.nonsense


SIGNATURES = {
    "utilmeta.core.response:Response": "result status headers cookies message state count error "
    "file attachment content_type event_stream",
    "utilmeta.core.response:ServerSentEvent": "event data id retry",
    "utilmeta.core.api:CORS": "allow_origin allow_headers expose_headers allow_credentials max_age",
    "utilmeta.core.api:Cache": "cache_control etag last_modified vary max_age",
    "utilmeta.core.api:RateLimit": "rate key",
    "utilmeta.core.api:Retry": "max_retries",
    "utilmeta.conf:Logging": "format level loggers access slow_request slow_sql request_id_header",
    "utilmeta.conf:Metrics": "path allow buckets sizes",
    "utilmeta.conf:Tracing": "statements durations tracer_provider meter_provider",
    "utilmeta.conf.http:Cookie": "name age domain path secure http_only same_site",
    "utilmeta.core.auth:User": "model authentication login_fields password_field login_time_field "
    "login_ip_field key field scopes_field",
    "utilmeta.core.auth:Require": "rules",
    "utilmeta.core.auth.jwt:JsonWebToken": "secret_key algorithm audience issuer user_token_field",
    "utilmeta.core.auth.session.cache:CacheSession": "cache_alias",
    "utilmeta.core.auth.session.db:DBSession": "session_model",
    "utilmeta.core.auth.session.cached_db:CachedDBSession": "session_model cache_alias",
    "utilmeta.core.auth.session.base:BaseSession": "cookie expire_at_browser_close "
    "save_every_request cycle_key_at_login",
    "utilmeta.core.request:RequestContextVar": "name default factory",
}


@pytest.mark.parametrize("path", SIGNATURES)
def test_promised_arguments_are_there(path: str):
    module, _, name = path.partition(":")
    made = getattr(importlib.import_module(module), name).__init__
    assert set(SIGNATURES[path].split()) <= set(inspect.signature(made).parameters)


def test_promised_attributes_are_there():
    from utilmeta.core.api import Error
    from utilmeta.core.auth import UserConfig
    from utilmeta.core.auth.session.base import BaseSession
    from utilmeta.core.auth.session.session import Session
    from utilmeta.core.file import File
    from utilmeta.core.request import Request, var
    from utilmeta.core.response import Response

    request = "path query headers cookies body data content_type host origin scheme ip_address "
    request += "time authorization adaptor url aread id"
    promised = {
        Request: request,
        Error: "type message status traceback throw",
        File: "read save aread asave format",
        Response: "result_key message_key state_key count_key status content_type name "
        "description strict set_cookie delete_cookie",
        var: "user user_id ip time scopes RequestContextVar",
        UserConfig: "login alogin login_user alogin_user logout alogout authenticate get aget",
        BaseSession: "schema session_of",
        Session: "flush cycle_key pop update session_key expiry_age modified aflush acycle_key",
    }
    for owner, names_ in promised.items():
        assert [name for name in names_.split() if not hasattr(owner, name)] == [], owner


@pytest.mark.parametrize("path", FIXED)
def test_fixed_path_imports(path: str):
    module, _, name = path.partition(":")
    assert getattr(importlib.import_module(module), name) is not None


def test_documented_errors_are_all_exported():
    exceptions = importlib.import_module("utilmeta.utils.exceptions")
    http = importlib.import_module("utilmeta.utils.exceptions.http")
    classes = {name for name, value in vars(http).items() if isinstance(value, type)}
    own = {name for name in classes if getattr(http, name).__module__ == http.__name__}
    assert own <= set(exceptions.__all__)


SETTINGS_FREE = [
    name
    for name in map(name_of, MODULES)
    if name.startswith(
        (
            "utilmeta.utils",
            "utilmeta.conf",
            "utilmeta.core.request",
            "utilmeta.core.api",
            "utilmeta.core.auth",
            "utilmeta.core.cache",
            "utilmeta.core.setup.options",
            "utilmeta.core.setup.compose",
            "utilmeta.core.setup.merge",
            "utilmeta.core.server.engine",
        )
    )
]


def test_lower_rooms_import_without_django_settings():
    code = (
        "import importlib\n"
        f"for name in {SETTINGS_FREE!r}:\n    importlib.import_module(name)\n"
        "from django.conf import settings\n"
        "from django.apps import apps\n"
        "print(settings.configured, apps.ready)"
    )
    assert run_python(code).split() == ["False", "False"]


def test_utils_load_no_django():
    names = [name for name in SETTINGS_FREE if name.startswith("utilmeta.utils")]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "print('django' in sys.modules)"
    )
    assert run_python(code).strip() == "False"


@pytest.mark.parametrize("room", ["utilmeta.core.api", "utilmeta.core.server.service"])
def test_rooms_load_no_framework_but_django(room: str):
    code = f"import sys, {room}; print(*{{name.split('.')[0] for name in sys.modules}})"
    assert not (set(FRAMEWORKS) - {"django"}) & set(run_python(code).split())


def documented(tree: ast.AST, prefix: str, *, public: bool = True) -> list[str]:
    """Return the public definitions below a node that have no docstring."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        is_public = public and not node.name.startswith("_")
        is_overload = any(
            isinstance(item, ast.Name) and item.id == "overload"
            for item in getattr(node, "decorator_list", ())
        )
        if is_public and not is_overload and ast.get_docstring(node) is None:
            found.append(f"{prefix}.{node.name}")
        if isinstance(node, ast.ClassDef):
            found += documented(node, f"{prefix}.{node.name}", public=is_public)
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_and_its_public_definitions_have_docstrings(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path} has no docstring"
    assert documented(tree, name_of(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_has_at_most_400_lines_and_its_classes_300(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    sizes = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > 300} == {}
