"""Which servers suit which services."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.projects import POSTGRES, make_of, run_command, source
from utilmeta.conf import Deployment, Health
from utilmeta.conf.deployment import choose_server
from utilmeta.deploy.combinations import check, warnings
from utilmeta.deploy.facts import Facts, Files
from utilmeta.deploy.images import quoted
from utilmeta.deploy.sites import spelt
from utilmeta.utils.exceptions import ConfigError

ASYNC = ("starlette", "fastapi", "sanic", "tornado")


def facts_of(backend: str = "flask", *, asynchronous: bool | None = None, **given: Any) -> Facts:
    """Return the facts of a service that nothing is to be said of."""
    mode = backend in ASYNC if asynchronous is None else asynchronous
    deployment = Deployment(**given)
    server, worker = choose_server(deployment, backend, asynchronous=mode)
    return Facts(
        name="shop",
        title="Shop",
        backend=backend,
        asynchronous=mode,
        production=True,
        deployment=deployment,
        health=Health(),
        server=server,
        worker=worker,
        module="server",
        application="server:app",
        settings_module=None,
        host="127.0.0.1",
        port=8000,
        is_secure=False,
        domain="shop.example.com",
        max_body_size=None,
        project=Path("/srv/shop"),
        trusts_loopback=True,
        python_version="3.12",
    )


@pytest.mark.parametrize(
    ("backend", "asynchronous", "server", "worker"),
    [
        ("django", False, "gunicorn", "gthread"),
        ("flask", False, "gunicorn", "gthread"),
        ("django", True, "uvicorn", None),
        ("starlette", True, "uvicorn", None),
        ("fastapi", True, "uvicorn", None),
        ("sanic", True, "sanic", None),
        ("tornado", True, "tornado", None),
    ],
)
def test_server_is_chosen_by_the_backend(
    backend: str, asynchronous: bool, server: str, worker: str | None
):
    facts = facts_of(backend, asynchronous=asynchronous)
    assert (facts.server, facts.worker) == (server, worker)
    check(facts)
    assert warnings(facts) == []


def test_worker_alone_means_gunicorn():
    facts = facts_of("starlette", worker="uvicorn")
    assert (facts.server, facts.worker) == ("gunicorn", "uvicorn")
    check(facts)


def test_gunicorn_under_an_async_service_has_uvicorn_workers():
    assert facts_of("fastapi", server="gunicorn").worker == "uvicorn"


@pytest.mark.parametrize(
    ("backend", "asynchronous", "given"),
    [
        *[("flask", False, {"worker": kind}) for kind in ("sync", "gthread", "gevent")],
        ("flask", False, {"server": "uwsgi", "threads": 4, "preload": True}),
        ("flask", False, {"server": "granian", "threads": 4}),
        ("django", False, {"preload": True, "threads": 4}),
        *[
            ("starlette", True, {"server": name})
            for name in ("uvicorn", "hypercorn", "granian", "daphne")
        ],
        ("fastapi", True, {"worker": "asgi"}),
        ("django", True, {"server": "daphne"}),
    ],
)
def test_what_goes_together_is_let_through(backend: str, asynchronous: bool, given: dict[str, Any]):
    check(facts_of(backend, asynchronous=asynchronous, **given))


@pytest.mark.parametrize(
    ("backend", "asynchronous", "given", "told"),
    [
        ("starlette", True, {"server": "uwsgi"}, "use server='uvicorn'"),
        *[
            ("fastapi", True, {"worker": kind}, "worker='uvicorn'")
            for kind in ("sync", "gthread", "gevent")
        ],
        *[
            ("django", False, {"server": name}, "asynchronous=True")
            for name in ("uvicorn", "hypercorn", "daphne")
        ],
        *[("flask", False, {"worker": kind}, "Flask's are WSGI") for kind in ("uvicorn", "asgi")],
        ("sanic", True, {"server": "uvicorn"}, "use server='sanic'"),
        ("tornado", True, {"server": "gunicorn"}, "use server='tornado'"),
        ("tornado", True, {"server": "sanic"}, "use server='tornado'"),
        ("flask", False, {"server": "sanic"}, "leave server out"),
        ("starlette", True, {"server": "tornado"}, "leave server out"),
        ("flask", False, {"worker": "sync", "threads": 2}, "worker='gthread'"),
        ("starlette", True, {"threads": 2}, "lanes"),
        ("starlette", True, {"preload": True}, "leave preload out"),
        ("flask", False, {"server": "granian", "preload": True}, "leave preload out"),
        ("flask", False, {"server": "granian", "max_requests": 9}, "leave max_requests out"),
        ("tornado", True, {"max_requests": 9}, "uvicorn"),
        ("starlette", True, {"server": "hypercorn", "max_requests": 9}, "loses requests"),
    ],
)
def test_what_does_not_go_together_is_refused(
    backend: str, asynchronous: bool, given: dict[str, Any], told: str
):
    with pytest.raises(ConfigError) as caught:
        check(facts_of(backend, asynchronous=asynchronous, **given))
    assert told in str(caught.value)
    assert str(caught.value).startswith("Deployment(")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"port": 80}, "nginx listens there"),
        ({"is_secure": True, "port": 443}, "nginx listens there"),
        ({"is_secure": True, "port": 80}, "nginx listens there"),
        ({"domain": "2001:db8::1"}, "expected a host name"),
        ({"domain": "läden.example"}, "expected a host name"),
    ],
)
def test_what_nginx_could_not_do_is_refused(change: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match=told):
        check(replace(facts_of("flask"), **change))


def test_host_name_of_the_origin_is_spelt_as_clients_send_it():
    assert spelt("läden.example") == "xn--lden-loa.example"
    assert spelt("shop.example") == "shop.example"
    assert spelt(None) is None
    with pytest.raises(ConfigError, match="no host name"):
        spelt("ä" * 70 + ".example")


@pytest.mark.parametrize(
    ("value", "written"),
    [("no", '"no"'), ("a#b: c", '"a#b: c"'), ("x$y", '"x$$y"'), ("läden", '"läden"')],
)
def test_names_in_the_compose_file_are_texts(value: str, written: str):
    assert quoted(value) == written
    assert yaml.safe_load(f"name: {written}")["name"].replace("$$", "$") == value


@pytest.mark.parametrize("given", [{"workers": 1001}, {"workers": 10**30}, {"listen": 65536}])
def test_numbers_that_no_machine_has_are_refused(given: dict[str, Any]):
    with pytest.raises(ConfigError, match="Deployment"):
        Deployment(**given)


def test_https_without_a_host_name_is_refused():
    with pytest.raises(ConfigError, match="host name"):
        check(replace(facts_of(), domain=None, is_secure=True))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"domain": "shop.example.com; return 200"}, "domain='shop.example.com; return 200'"),
        ({"domain": "https://shop.example.com"}, "a host name"),
        ({"user": "www data"}, "the name of a system user"),
        ({"user": "shop\nExecStart=/bin/sh"}, "the name of a system user"),
        ({"certificate": "shop.pem", "certificate_key": "/shop.key"}, "an absolute path"),
        ({"certificate": "/shop.pem", "certificate_key": "/my key"}, "an absolute path"),
        ({"certificate": "/etc/tls/shop.pem"}, "give both"),
        ({"certificate_key": "/etc/tls/shop.key"}, "give both"),
    ],
)
def test_what_files_cannot_hold_is_refused(given: dict[str, Any], told: str):
    with pytest.raises(ConfigError) as caught:
        check(facts_of(**given))
    assert told in str(caught.value)


def engine(name: str) -> dict[str, Any]:
    return {"default": {"ENGINE": f"django.db.backends.{name}"}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"production": False}, "production=False"),
        ({"trusts_loopback": False}, "trusted_proxies=['127.0.0.1']"),
        ({"trusts_loopback": False, "host": "::1"}, "trusted_proxies=['::1']"),
        ({"domain": None}, "host name"),
        ({"server": "granian", "worker": None}, "may lose a request"),
        ({"uses_static_app": True}, "collectstatic"),
        ({"databases": engine("sqlite3")}, "SQLite (default)"),
        ({"worker": "gevent", "databases": engine("mysql")}, "mysqlclient"),
    ],
)
def test_what_is_perhaps_not_meant_is_told(change: dict[str, Any], told: str):
    (found,) = warnings(replace(facts_of(), **change))
    assert told in found


def test_static_files_that_nginx_answers_need_no_word():
    from pathlib import PurePosixPath

    files = (Files(url="/static/", folder=PurePosixPath("/srv/static")),)
    assert warnings(replace(facts_of(), uses_static_app=True, files=files)) == []


def test_psycopg_waits_as_gevent_wants():
    facts = replace(facts_of(worker="gevent"), databases=engine("postgresql"))
    assert warnings(facts) == []


@pytest.mark.parametrize(
    ("folder", "output", "told"),
    [("my shop", "deploy", "letters"), ("shop", "ops #1: x", "letters"), ("shop", "../x", "below")],
)
def test_folders_that_files_could_not_name_are_refused(
    tmp_path: Path, folder: str, output: str, told: str
):
    made = make_of(tmp_path / folder, source("backend='flask'", "Deployment()"))
    done = run_command(made, "deploy", "--output", output)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (made / output).exists()


def test_command_refuses_and_writes_nothing(tmp_path: Path):
    folder = make_of(tmp_path, source("backend='starlette'", "Deployment(server='uwsgi')"))
    done = run_command(folder, "deploy")
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: Deployment(server='uwsgi')")
    assert not (folder / "deploy").exists()


def test_command_warns_and_writes(tmp_path: Path):
    text = source("backend='flask'", "Deployment(workers=20, threads=20)", POSTGRES)
    folder = make_of(tmp_path, text.replace("production=True", "production=False"))
    done = run_command(folder, "deploy")
    assert done.returncode == 0, done.stderr
    assert "warning: the service says production=False" in done.stderr
    assert "warning: database 'default' allows 90 connections, and 800 may be held" in done.stderr
    assert (folder / "deploy" / "nginx.conf").exists()
