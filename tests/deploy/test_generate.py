"""`manage.py deploy` for small projects: what it writes, and whether others understand it."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.projects import (
    GOLDEN,
    PLACE,
    POSTGRES,
    PROJECTS,
    deploy,
    make_of,
    run_command,
    source,
    written,
)
from tests.servers import ROOT
from tests.services import give_up

BESIDE_PYTHON = Path(sys.executable).parent


def require(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        give_up(f"{program} is needed")
    return found


def golden(name: str) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (GOLDEN / name).iterdir()}


@pytest.mark.parametrize("name", PROJECTS)
def test_files_are_those_that_were_looked_at(tmp_path: Path, name: str):
    # After a change: python -m tests.deploy.projects, and look at the difference.
    files = written(tmp_path / "one", name)
    assert files == golden(name)
    # Nothing depends on when, where and how often it is written.
    assert written(tmp_path / "two", name) == files


def test_every_project_has_its_golden_files():
    assert sorted(path.name for path in GOLDEN.iterdir()) == sorted(PROJECTS)


@pytest.mark.parametrize("name", PROJECTS)
def test_golden_files_say_who_writes_them_and_hold_no_secret(name: str):
    for file, text in golden(name).items():
        first = text.splitlines()[0]
        assert "manage.py deploy" in first, file
        assert "Deployment(...)" in first, file
        for secret in ("hunter2", "never-written-anywhere", str(ROOT), sys.prefix):
            assert secret not in text, file
        # What templates leave behind for a name that is not there, or that is nothing.
        assert "%%" not in text, file
        assert not re.search(r"\bNone\b", text.replace("else None", "").replace("= None", "")), file
        assert "\n\n\n" not in text.replace("\n\n\ndef ", ""), file
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


# -- nginx ----------------------------------------------------------------------------------------


def check_nginx(folder: Path, site: str) -> None:
    (folder / "site.conf").write_text(site)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}include {folder}/site.conf;\n}}\n"
    )
    done = subprocess.run(
        [require("nginx"), "-t", "-e", "stderr", "-c", str(folder / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    held, key = folder / "held.pem", folder / "key.pem"
    subprocess.run(
        [
            *(require("openssl"), "req", "-x509", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=shop.example.com", "-keyout", str(key), "-out", str(held)),
        ],
        check=True,
        capture_output=True,
    )
    return held, key


@pytest.mark.parametrize("name", PROJECTS)
def test_nginx_understands_its_site(tmp_path: Path, certificate: tuple[Path, Path], name: str):
    site = golden(name)["nginx.conf"]
    site = re.sub(r"(ssl_certificate) [^;]+;", rf"\1 {certificate[0]};", site)
    site = re.sub(r"(ssl_certificate_key) [^;]+;", rf"\1 {certificate[1]};", site)
    check_nginx(tmp_path, site)


def test_a_long_name_is_no_trouble_for_nginx(tmp_path: Path, certificate: tuple[Path, Path]):
    name = "-".join(["a-service-with-a-name"] * 2)
    text = source("backend='fastapi', origin='https://shop.example.com'", "Deployment()")
    project = make_of(tmp_path / "project", text.replace("name='shop'", f"name={name!r}"))
    site = deploy(project, *PLACE)["nginx.conf"]
    assert f"upstream {name}" in site
    site = re.sub(r"(ssl_certificate) [^;]+;", rf"\1 {certificate[0]};", site)
    site = re.sub(r"(ssl_certificate_key) [^;]+;", rf"\1 {certificate[1]};", site)
    check_nginx(tmp_path, site)


def test_limit_of_bodies_is_above_the_service_s_own(tmp_path: Path):
    text = source("backend='flask'").replace(
        "trusted_proxies=", "max_body_size=1000, trusted_proxies="
    )
    site = deploy(make_of(tmp_path, text))["nginx.conf"]
    assert f"client_max_body_size {1000 + 1024 * 1024};" in site


def test_body_without_limit_has_none_in_nginx(tmp_path: Path):
    text = source("backend='flask'").replace(
        "trusted_proxies=", "max_body_size=None, trusted_proxies="
    )
    assert "client_max_body_size 0;" in deploy(make_of(tmp_path, text))["nginx.conf"]


def test_endpoint_of_its_own_is_not_refused_as_metrics(tmp_path: Path):
    text = source("backend='flask'").replace("route='/api'", "route='/'")
    text = text.replace("def hello(self)", "def metrics(self)")
    assert "/metrics" not in deploy(make_of(tmp_path, text))["nginx.conf"]


# -- systemd --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROJECTS)
def test_systemd_understands_its_unit(tmp_path: Path, name: str):
    verify = require("systemd-analyze")
    # It asks whether the programs and the user are there.
    unit = golden(name)["shop.service"].replace("/srv/shop/.venv/bin/python", "/bin/true", 1)
    (tmp_path / "shop.service").write_text(unit)
    done = subprocess.run(
        [verify, "verify", str(tmp_path / "shop.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def words_of(unit: str) -> list[str]:
    lines = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    assert len(lines) == 1
    return shlex.split(lines[0].removeprefix("ExecStart="))


@pytest.mark.parametrize("name", PROJECTS)
def test_supervisor_understands_its_command(name: str):
    from utilmeta.supervisor.options import parse

    words = words_of(golden(name)["shop.service"])
    assert words[1:3] == ["-m", "utilmeta.supervisor"]
    options = parse(words[3:])
    assert options.bind is not None
    has_master = {"gunicorn", "gevent", "uwsgi", "granian", "worker"} & set(name.split("_"))
    assert (options.workers == 1) == bool(has_master)
    assert words[0] == "/srv/shop/.venv/bin/python"
    assert options.command[0].startswith("/srv/shop/.venv/bin/")
    assert options.timeout == (60 if name == "sanic" else 30)
    assert options.grace == (2.5 if name == "flask_uwsgi" else 5)


@pytest.mark.parametrize("name", PROJECTS)
def test_unit_and_image_start_the_same(name: str):
    files = golden(name)
    command = next(
        json.loads(line.removeprefix("CMD "))
        for line in files["Dockerfile"].splitlines()
        if line.startswith("CMD ")
    )
    unit = [
        word.replace("/srv/shop/.venv/", "/opt/venv/") for word in words_of(files["shop.service"])
    ]
    assert command == unit


# -- gunicorn -------------------------------------------------------------------------------------


def test_gunicorn_understands_its_configuration(tmp_path: Path):
    folder = make_of(tmp_path, source("backend='flask'", "Deployment(workers=3, threads=5)"))
    deploy(folder)
    done = subprocess.run(
        [
            *(str(BESIDE_PYTHON / "gunicorn"), "--check-config", "--print-config"),
            *("--config", "deploy/gunicorn.conf.py", "server:app"),
        ],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "FORWARDED_ALLOW_IPS": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    shown = {key.strip(): value.strip() for key, value in told.items()}
    assert (shown["workers"], shown["threads"], shown["worker_class"]) == (
        "3",
        "5",
        "gthread",
    )
    # The service alone judges forwarded headers, whatever the environment says.
    assert shown["forwarded_allow_ips"] == "[]"
    assert shown["secure_scheme_headers"] == "{}"
    assert shown["forwarder_headers"] == "[]"
    assert shown["control_socket_disable"] == "True"


# -- containers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROJECTS)
def test_compose_file_is_whole(name: str):
    files = golden(name)
    told: Any = yaml.safe_load(files["compose.yaml"])
    services = told["services"]
    nginx = services["nginx"]
    assert nginx["network_mode"] == "service:web"
    # Ports are those of the namespace that both share.
    listened = {int(port) for port in re.findall(r"listen (\d+)", files["nginx.conf"])}
    assert {int(port.split(":")[0]) for port in services["web"]["ports"]} == listened
    assert services["web"]["build"] == {"context": "..", "dockerfile": "deploy/Dockerfile"}
    volumes = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
        if not volume.startswith((".", "/"))
    }
    assert volumes == set(told.get("volumes") or {})
    for alias in re.findall(r"alias ([^;]+)/;", files["nginx.conf"]):
        assert any(volume.endswith(f":{alias}:ro") for volume in nginx["volumes"])


@pytest.mark.parametrize("name", PROJECTS)
def test_dockerfile_runs_as_nobody_in_particular(name: str):
    lines = golden(name)["Dockerfile"].splitlines()
    assert "USER service" in lines
    assert "STOPSIGNAL SIGTERM" in lines
    has_check = any(line.startswith("HEALTHCHECK") for line in lines)
    assert has_check == (name != "django_hypercorn")


def test_requirements_of_the_project_are_installed(tmp_path: Path):
    for file, line in (
        ("requirements.txt", "--requirement requirements.txt"),
        ("pyproject.toml", "pip install ."),
    ):
        folder = make_of(tmp_path / file, source("backend='flask'"), {file: ""})
        assert line in deploy(folder)["Dockerfile"]


# -- the command ----------------------------------------------------------------------------------


def test_paths_are_those_of_this_machine_unless_they_are_told(tmp_path: Path):
    files = deploy(make_of(tmp_path, source("backend='flask'")))
    unit = files["shop.service"]
    assert f"WorkingDirectory={tmp_path}\n" in unit
    assert words_of(unit)[0] == str(BESIDE_PYTHON / "python")


def test_unit_names_the_settings_module_of_a_project(tmp_path: Path):
    folder = tmp_path / "project"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "settings.py").write_text(
        "SECRET_KEY = 'x' * 50\nINSTALLED_APPS = ['utilmeta']\nROOT_URLCONF = 'shop.urls'\n"
        "WSGI_APPLICATION = 'shop.wsgi.application'\nUTILMETA_SERVICE = 'shop.service.service'\n"
        "USE_TZ = True\nTIME_ZONE = 'UTC'\n"
    )
    (folder / "shop" / "urls.py").write_text(
        "from django.urls import include, path\nurlpatterns = [path('', include('utilmeta.urls'))]"
    )
    (folder / "shop" / "wsgi.py").write_text(
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    )
    (folder / "shop" / "service.py").write_text(
        "from utilmeta import UtilMeta\nservice = UtilMeta(__name__, name='shop', backend='django')"
    )
    done = subprocess.run(
        [sys.executable, "-m", "django", "deploy", *PLACE],
        cwd=folder,
        env={
            "PYTHONPATH": f"{ROOT}:{folder}",
            "PATH": "/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": "shop.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    unit = (folder / "deploy" / "shop.service").read_text()
    assert "Environment=DJANGO_SETTINGS_MODULE=shop.settings\n" in unit
    assert words_of(unit)[-1] == "shop.wsgi:application"
    assert "production=False" in done.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("app = service.application()", ""), "app = service.application()"),
        (
            ("app = service.application()", "if __name__ == '__main__':\n    app = 1\n"),
            "app = service.application()",
        ),
    ],
)
def test_application_that_servers_cannot_import_is_refused(
    tmp_path: Path, change: tuple[str, str], told: str
):
    folder = make_of(tmp_path, source("backend='flask'").replace(*change))
    done = run_command(folder, "deploy")
    assert done.returncode == 1
    assert told in done.stderr
    assert not (folder / "deploy").exists()


@pytest.mark.parametrize("backend", ["sanic", "tornado"])
def test_module_that_does_not_serve_is_refused(tmp_path: Path, backend: str):
    text = source(f"backend='{backend}'").partition("if __name__")[0]
    done = run_command(make_of(tmp_path, text), "deploy")
    assert done.returncode == 1
    assert "service.run()" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--output", ".."), "expected a folder below"),
        (("--output", "."), "expected a folder below"),
        (("--folder", "srv/shop"), "absolute"),
        (("--folder", "/srv/my 'shop'"), "units and nginx"),
        (("--venv", "venv"), "absolute"),
        (("--processors", "0"), "expected a number from 1"),
    ],
)
def test_wrong_option_is_explained(tmp_path: Path, arguments: tuple[str, ...], told: str):
    done = run_command(make_of(tmp_path, source("backend='flask'")), "deploy", *arguments)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_check_fails_until_files_are_as_they_would_be_written(tmp_path: Path):
    folder = make_of(tmp_path, source("backend='flask'"))
    missing = run_command(folder, "deploy", "--check", *PLACE)
    assert missing.returncode == 1
    assert "nginx.conf" in missing.stderr
    assert not (folder / "deploy").exists()
    deploy(folder, *PLACE)
    assert run_command(folder, "deploy", "--check", *PLACE).returncode == 0
    site = folder / "deploy" / "nginx.conf"
    site.write_text(site.read_text() + "# mine\n")
    changed = run_command(folder, "deploy", "--check", *PLACE)
    assert changed.returncode == 1
    assert "nginx.conf" in changed.stderr
    assert "Dockerfile" not in changed.stderr
    refused = run_command(folder, "deploy", *PLACE)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert site.read_text().endswith("# mine\n")
    deploy(folder, "--force", *PLACE)
    assert "# mine" not in site.read_text()


def test_output_folder_is_named_in_what_is_written(tmp_path: Path):
    folder = make_of(tmp_path, source("backend='flask'"))
    done = run_command(folder, "deploy", "--output", "ops/files", *PLACE)
    assert done.returncode == 0, done.stderr
    written_to = folder / "ops" / "files"
    assert "--config ops/files/gunicorn.conf.py" in (written_to / "shop.service").read_text()
    compose = yaml.safe_load((written_to / "compose.yaml").read_text())
    build = {"context": "../..", "dockerfile": "ops/files/Dockerfile"}
    assert compose["services"]["web"]["build"] == build


def test_image_holds_what_watches_the_service(tmp_path: Path):
    text = source("backend='fastapi', port=8000", "Deployment()", "Metrics()", "Tracing()")
    text = text.replace("import Deployment,", "import Deployment, Metrics, Tracing,")
    image = deploy(make_of(tmp_path, text), *PLACE)["Dockerfile"]
    assert "'utilmeta[fastapi,metrics,tracing]'" in image


def test_names_of_stores_are_no_variables_of_compose(tmp_path: Path):
    text = source("backend='flask'", "Deployment()", POSTGRES.replace("'shop'", "'s$hop'"))
    compose = yaml.safe_load(deploy(make_of(tmp_path, text), *PLACE)["compose.yaml"])
    words = json.dumps(compose["services"]["postgres"])
    assert "s$$hop" in words
    assert "$" not in words.replace("s$$hop", "").replace("${POSTGRES_PASSWORD:?", "")


def test_paths_that_nginx_would_read_otherwise_are_refused(tmp_path: Path):
    extra = "{'STATIC_URL': '/sta tic;$x/', 'STATIC_ROOT': 'public'}"
    text = source("backend='flask'", "Deployment()", extra=extra)
    done = run_command(make_of(tmp_path, text), "deploy", *PLACE)
    assert done.returncode == 1
    assert "STATIC_URL or MEDIA_URL '/sta tic;$x/': write it with" in done.stderr
