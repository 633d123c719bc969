"""The examples of the guide to configuration, running and deployment, run as a reader would."""

import json
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.examples.conftest import Start, beside_python, end
from tests.examples.copies import edit, printed, run, uses
from tests.servers import Answer, Server, free_port

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


def whole(answer: Answer) -> tuple[int, str | None, bytes]:
    return answer.status, answer.header("content-type"), answer.body


def get(server: Server, path: str) -> tuple[int, str | None, bytes]:
    return whole(server.request("GET", path))


# -- arguments and back ends ----------------------------------------------------------------------


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("hello")
def test_hello_answers_on_each_backend(start: Start, backend: str):
    server = start(BACKEND=backend)
    assert get(server, "/api/hello") == (200, TEXT, b"world")
    assert server.request("GET", "/hello").status == 404
    assert server.request("POST", "/api/hello").header("allow") == "GET, HEAD, OPTIONS"
    output = end(server)
    assert output.count(f"demo 0.1.0 | utilmeta 0.1.0 on {backend} ") == 1
    assert output.count(f"| http://127.0.0.1:{server.port}/api\n") == 1


@pytest.mark.sockets
@uses("parameters")
def test_parameters_are_what_the_imported_service_holds(start: Start):
    server = start()
    status, kind, body = get(server, "/about/service")
    assert (status, kind) == (200, JSON)
    assert json.loads(body) == {
        "name": "parameters",
        "description": "Shows what a service is told when it is made",
        "production": False,
        "host": "127.0.0.1",
        "version": "0.1.0",
        "asynchronous": False,
    }


@pytest.mark.sockets
@uses("backend_django")
def test_backend_django_is_taken_as_a_module(start: Start):
    assert get(start(), "/hello") == (200, TEXT, b"hello from django")


@pytest.mark.sockets
@uses("backend_flask")
def test_backend_flask_is_taken_as_a_module(start: Start):
    assert get(start(), "/hello") == (200, TEXT, b"hello from flask")


@pytest.mark.sockets
@uses("backend_starlette")
def test_backend_starlette_is_taken_as_a_module(start: Start):
    assert get(start(), "/hello") == (200, TEXT, b"hello from starlette")


@pytest.mark.sockets
@uses("backend_sanic")
def test_backend_sanic_is_taken_as_a_module(start: Start):
    assert get(start(), "/hello") == (200, TEXT, b"hello from sanic")


@pytest.mark.sockets
@uses("custom_fastapi_app")
def test_custom_fastapi_app_keeps_its_routes_beside_the_api(folder: Path, start: Start):
    server = start()
    assert get(server, "/api/hello") == (200, JSON, b'{"from":"utilmeta"}')
    assert get(server, "/native") == (200, JSON, b'{"from":"fastapi"}')
    assert json.loads(server.request("GET", "/openapi.json").body)["info"]["title"] == (
        "My own application"
    )
    assert printed(folder, "import server; print(server.app is server.fastapi_app)") == "True"


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["django", "flask"])
@uses("asynchronous")
def test_asynchronous_runs_async_endpoints_on_a_sync_framework(start: Start, backend: str):
    assert get(start(BACKEND=backend), "/together") == (200, JSON, b"[0,1,4,9]")


@pytest.mark.parametrize("backend", ["django", "flask"])
@uses("asynchronous")
def test_asynchronous_is_needed_for_async_endpoints(folder: Path, backend: str):
    edit(folder / "server.py", "    asynchronous=True,\n", "")
    done = run(folder, "server.py", BACKEND=backend, PORT=str(free_port()))
    assert done.returncode == 1
    assert "ConfigError: RootAPI.together: async endpoints on a sync service" in done.stderr


# -- one service in a process ---------------------------------------------------------------------


@uses("hello")
def test_service_cannot_be_imported_before_one_is_made(folder: Path):
    done = run(folder, "-c", "from utilmeta import service")
    assert done.returncode == 1
    assert "ImportError: utilmeta.service: no service exists in this process yet" in done.stderr


@uses("hello")
def test_service_is_imported_once_it_is_made(folder: Path):
    code = "import server; from utilmeta import service; print(service is server.service)"
    assert printed(folder, code) == "True"


@uses("hello")
def test_second_service_is_refused_and_names_the_first(folder: Path):
    code = "import server, utilmeta; utilmeta.UtilMeta('other', backend='flask')"
    done = run(folder, "-c", code)
    assert done.returncode == 1
    assert (
        "ConfigError: UtilMeta('other'): this process has a service already, 'demo' made in module "
        "'server'" in done.stderr
    )


# -- configuration and set-up ---------------------------------------------------------------------


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["django", "flask", "starlette", "tornado"])
@uses("configure")
def test_configure_gives_models_a_database_and_a_time_format(
    folder: Path, start: Start, backend: str
):
    server = start(BACKEND=backend)
    assert whole(server.request("POST", "/articles/add?title=First")) == (200, JSON, b"1")
    assert get(server, "/articles/titles") == (
        200,
        JSON,
        b'[{"title":"First","created_at":"2024-01-02T03:04:05.678901Z"}]',
    )
    assert (folder / "db").read_bytes().startswith(b"SQLite format 3")


@uses("configure")
def test_configure_reaches_the_settings_of_django(folder: Path):
    code = (
        "import json, server; server.service.setup(); from django.conf import settings as s; "
        "print(json.dumps([s.SECRET_KEY, s.TIME_ZONE, s.USE_TZ, s.INSTALLED_APPS]))"
    )
    told = json.loads(printed(folder, code, DEMO_DJANGO_SECRET_KEY="from-the-system"))
    assert told == ["from-the-system", "UTC", True, ["utilmeta", "domain.article"]]


@uses("configure")
def test_configure_cannot_be_used_twice(folder: Path):
    edit(folder / "server.py", "configure(service)\n", "configure(service)\nconfigure(service)\n")
    done = run(folder, "server.py")
    assert done.returncode == 1
    assert "ConfigError: service.use(DjangoSettings(...)): there is one already" in done.stderr


@pytest.mark.sockets
@uses("setup_models")
def test_setup_makes_models_importable(start: Start):
    server = start()
    assert get(server, "/names") == (200, JSON, b'["Ada","Grace"]')


@uses("setup_models")
def test_setup_left_out_is_an_error_of_django(folder: Path):
    edit(folder / "server.py", "service.setup()\n", "")
    edit(folder / "server.py", "configure(service)\n", "")
    done = run(folder, "server.py")
    assert done.returncode == 1
    assert (
        "django.core.exceptions.ImproperlyConfigured: Requested setting INSTALLED_APPS, but "
        "settings are not configured" in done.stderr
    )


@pytest.mark.sockets
@uses("api_reference")
def test_api_reference_is_imported_by_setup_only(folder: Path, start: Start):
    assert get(start(), "/api/hello") == (200, TEXT, b"world")
    edit(folder / "server.py", "app = service.application()", "")
    code = (
        "import sys, server; print('service.api' in sys.modules, end=' '); "
        "server.service.setup(); print('service.api' in sys.modules)"
    )
    assert printed(folder, code) == "False True"


@uses("api_reference")
def test_api_reference_that_is_wrong_tells_what_is_near(folder: Path):
    edit(folder / "server.py", "service.api.RootAPI", "service.api.RotAPI")
    done = run(folder, "server.py")
    assert done.returncode == 1
    assert "module 'service.api' has no 'RotAPI'; did you mean 'RootAPI'?" in done.stderr


# -- applications and hooks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "kind", "port"),
    [
        ("django", "django.core.handlers.wsgi.WSGIHandler", 8000),
        ("flask", "flask.app.Flask", 5000),
        ("starlette", "starlette.applications.Starlette", 8000),
        ("fastapi", "fastapi.applications.FastAPI", 8000),
        ("sanic", "sanic.app.Sanic", 8000),
        ("tornado", "tornado.web.Application", 8000),
    ],
)
@uses("application")
def test_application_is_of_the_framework(folder: Path, backend: str, kind: str, port: int):
    code = (
        "import json, server; s = server.service; print(json.dumps(["
        "[f'{c.__module__}.{c.__qualname__}' for c in type(server.app).__mro__], "
        "s.application() is server.app, s.port, s.host, s.asynchronous]))"
    )
    kinds, *told = json.loads(printed(folder, code, BACKEND=backend))
    assert kind in kinds
    assert told == [True, port, "127.0.0.1", backend not in {"django", "flask"}]


@uses("application")
def test_application_of_async_django_is_an_asgi_handler(folder: Path):
    edit(folder / "server.py", 'name="demo",', 'name="demo", asynchronous=True,')
    code = (
        "import server; from django.core.handlers.asgi import ASGIHandler; "
        "print(isinstance(server.app, ASGIHandler))"
    )
    assert printed(folder, code) == "True"


@uses("application")
def test_application_is_what_both_server_configurations_name(folder: Path):
    ini = ConfigParser(interpolation=None)
    assert ini.read(folder / "uwsgi.ini")
    given: dict[str, object] = {}
    exec((folder / "gunicorn.conf.py").read_text(), given)
    assert ini["uwsgi"]["module"] == given["wsgi_app"] == "server:app"


@pytest.mark.sockets
@pytest.mark.parametrize("backend", ["starlette", "fastapi", "sanic", "tornado"])
@uses("startup_async")
def test_startup_hook_runs_before_the_first_answer(folder: Path, start: Start, backend: str):
    edit(folder / "server.py", "starlette", backend)
    server = start()
    assert get(server, "/state") == (200, JSON, b'["cache"]')
    assert get(server, "/state") == (200, JSON, b'["cache"]')
    output = end(server)
    assert re.findall(r"^(prepare|done)$", output, re.MULTILINE) == ["prepare", "done"]


@pytest.mark.parametrize("backend", ["django", "flask"])
@uses("startup_async")
def test_startup_hook_that_is_async_is_refused_on_a_sync_service(folder: Path, backend: str):
    edit(folder / "server.py", "starlette", backend)
    done = run(folder, "server.py")
    assert done.returncode == 1
    assert "ConfigError: @service.on_startup: __main__.on_start is async" in done.stderr


@pytest.mark.sockets
@pytest.mark.parametrize("backend", SIX)
@uses("shutdown")
def test_shutdown_hook_runs_once_at_the_end(folder: Path, start: Start, backend: str):
    edit(folder / "server.py", "starlette", backend)
    server = start()
    assert get(server, "/hello") == (200, TEXT, b"world")
    assert "done!" not in server.output()
    assert end(server).count("done!\n") == 1


# -- environment variables ------------------------------------------------------------------------

DUMP = "import json; from env import env; print(json.dumps(env.model_dump()))"


@uses("env_class")
def test_env_class_takes_prefixed_variables_of_any_letter_case(folder: Path):
    given = {
        "DEMO_DB_USER": "ann",
        "demo_db_password": "p1",
        "DEMO_REDIS_PASSWORD": "p2",
        "DEMO_PRODUCTION": "true",
        "DEMO_REDIS_PORT": "7000",
        "COOKIE_AGE": "1",
        "DEMO_OTHER": "not declared",
    }
    assert json.loads(printed(folder, DUMP, **given)) == {
        "PRODUCTION": True,
        "DJANGO_SECRET_KEY": "",
        "COOKIE_AGE": 604800,
        "REDIS_DB": 0,
        "REDIS_PORT": 7000,
        "REDIS_PASSWORD": "p2",
        "DB_HOST": "",
        "DB_USER": "ann",
        "DB_PASSWORD": "p1",
        "DB_PORT": 5432,
    }
    shown = run(folder, "env.py", **given).stdout
    assert "DB_USER='ann'" in shown
    assert "p1" not in shown
    assert "p2" not in shown


@uses("env_class")
def test_env_class_takes_plain_names_without_a_prefix(folder: Path):
    edit(folder / "env.py", 'sys_env="DEMO_"', "sys_env=True")
    told = json.loads(printed(folder, DUMP, DB_USER="ann", DB_PASSWORD="p1", REDIS_PASSWORD="p2"))
    assert (told["DB_USER"], told["DB_PASSWORD"], told["REDIS_PASSWORD"]) == ("ann", "p1", "p2")


@uses("env_class")
def test_env_class_names_all_that_is_missing_or_wrong(folder: Path):
    done = run(folder, "env.py", DEMO_DB_USER="ann", DEMO_DB_PORT="many")
    assert done.returncode == 1
    assert "ServiceEnvironment: 3 variable(s) are missing or invalid" in done.stderr
    for name in ("DEMO_REDIS_PASSWORD: missing", "DEMO_DB_PASSWORD: missing", "DEMO_DB_PORT: "):
        assert name in done.stderr


@uses("env_file_json")
def test_env_file_json_is_read_from_the_folder_of_the_class(folder: Path):
    assert json.loads(printed(folder, DUMP)) == {
        "DB_USER": "my_user",
        "DB_PASSWORD": "only-an-example",
    }
    # It is found from another working folder too.
    done = run(folder.parent, str(folder / "env.py"))
    assert done.stdout == "ServiceEnvironment(DB_USER='my_user', DB_PASSWORD='***')\n"
    (folder / "config.json").write_text('{"DB_USER": "my_user",}')
    assert "config.json, line 1: not JSON" in run(folder, "env.py").stderr


@uses("env_file_ini")
def test_env_file_ini_needs_no_section(folder: Path):
    told = {"DB_USER": "my_user", "DB_PASSWORD": "only-an-example"}
    assert json.loads(printed(folder, DUMP)) == told
    text = (folder / "config.ini").read_text()
    (folder / "config.ini").write_text(f"[database]\n{text}")
    assert json.loads(printed(folder, DUMP)) == told


# -- running and deployment -----------------------------------------------------------------------


@pytest.mark.sockets
@uses("run")
def test_run_serves_and_refuses_a_port_that_is_taken(folder: Path, start: Start):
    server = start()
    assert get(server, "/api/hello") == (200, TEXT, b"world")
    second = run(folder, "server.py", PORT=str(server.port))
    assert second.returncode == 1
    assert f"ConfigError: cannot listen on 127.0.0.1:{server.port}" in second.stderr


@pytest.mark.sockets
@uses("run_custom_flask")
def test_run_custom_flask_serves_by_the_application_itself(folder: Path, start: Start):
    port = free_port()
    edit(folder / "server.py", "port=8000", f"port={port}")
    server = start(port=port)
    assert get(server, "/api/hello") == (200, TEXT, b"world")
    assert "Debug mode: off" in server.output()


@pytest.mark.sockets
@uses("run_custom_sanic")
def test_run_custom_sanic_serves_from_a_process_of_its_own(folder: Path, start: Start):
    port = free_port()
    edit(folder / "server.py", "port=8000", f"port={port}")
    server = start(port=port)
    assert get(server, "/api/hello") == (200, TEXT, b"world")


@pytest.mark.sockets
@uses("gunicorn")
def test_gunicorn_runs_the_configuration(folder: Path, start: Start):
    port = free_port()
    command = (beside_python("gunicorn"), "-c", "gunicorn.conf.py", "--no-control-socket")
    server = start(*command, "-b", f"127.0.0.1:{port}", "-w", "2", port=port)
    assert get(server, "/api/hello") == (200, TEXT, b"world")
    # The header that the proxy's configuration sets does no harm.
    proxied = server.request("GET", "/api/hello", headers={"REMOTE_ADDR": "192.0.2.1"})
    assert whole(proxied) == (200, TEXT, b"world")
    end(server)
    assert (folder / "access.log").read_text().count('"GET /api/hello HTTP/1.1" 200 5') == 2
    assert f"Listening at: http://127.0.0.1:{port}" in (folder / "error.log").read_text()


@uses("gunicorn")
def test_gunicorn_accepts_the_file_as_it_stands(folder: Path):
    gunicorn = [beside_python("gunicorn"), "-c", "gunicorn.conf.py"]
    done = run(folder, *gunicorn, "--print-config")
    assert done.returncode == 0, done.stderr
    told = dict(re.findall(r"^(\w+) += (.*)$", done.stdout, re.MULTILINE))
    assert told["wsgi_app"] == "server:app"
    assert told["bind"] == "['127.0.0.1:8000']"
    assert told["workers"] == "5"
    assert (told["accesslog"], told["errorlog"]) == ("access.log", "error.log")


@uses("uwsgi")
def test_uwsgi_names_an_application_that_exists(folder: Path):
    ini = ConfigParser(interpolation=None)
    assert ini.read(folder / "uwsgi.ini")
    assert ini.sections() == ["uwsgi"]
    options = dict(ini["uwsgi"])
    assert options == {
        "module": "server:app",
        "chdir": "%d",
        "daemonize": "%duwsgi.log",
        "workers": "5",
        "socket": "127.0.0.1:8000",
    }
    module, attribute = options["module"].split(":")
    code = f"from {module} import {attribute} as app; print(type(app).__mro__[1].__name__)"
    assert printed(folder, code) == "WSGIHandler"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "uwsgi.conf",
            [
                "include uwsgi_params",
                "uwsgi_param HTTP_HOST $http_host",
                "uwsgi_param HTTP_X_FORWARDED_FOR $remote_addr",
                "uwsgi_param HTTP_X_FORWARDED_HOST $http_host",
                "uwsgi_param HTTP_X_FORWARDED_PROTO $scheme",
                'uwsgi_param HTTP_FORWARDED ""',
                "uwsgi_pass 127.0.0.1:8000",
            ],
        ),
        (
            "proxy.conf",
            [
                "proxy_pass http://127.0.0.1:8000",
                "proxy_set_header Host $http_host",
                "proxy_set_header X-Forwarded-For $remote_addr",
                "proxy_set_header X-Forwarded-Host $http_host",
                "proxy_set_header X-Forwarded-Proto $scheme",
                'proxy_set_header Forwarded ""',
            ],
        ),
    ],
)
@uses("nginx")
def test_nginx_hands_the_api_to_the_server_behind_it(folder: Path, file: str, expected: list[str]):
    text = re.sub(r"#.*", "", (folder / file).read_text())
    outer = re.fullmatch(r"\s*server \{(.*?)location /api/ \{(.*?)\}\s*\}\s*", text, re.DOTALL)
    assert outer is not None
    blocks = [[line.strip() for line in part.split(";")] for part in outer.groups()]
    assert [block.pop() for block in blocks] == ["", ""]
    assert blocks[0] == ["listen 80", "server_name example.com", "charset utf-8"]
    assert blocks[1] == expected
