"""The sites for nginx that the documentation shows, in front of every back end."""

from pathlib import Path

import pytest

from tests.deploy.examine import STRANGER
from tests.deploy.rows import Row
from tests.deploy.stage import SPOOFS, nginx, staged
from tests.servers import ROOT, free_port
from tests.services import require_nginx

SITES = ROOT / "docs" / "examples" / "nginx"
# nginx's own file of parameters, wherever it is installed.
PARAMETERS = Path("/etc/nginx/uwsgi_params")
CASES = [
    ("proxy.conf", Row("gunicorn", "django", False, "gthread")),
    ("proxy.conf", Row("uvicorn", "django", True)),
    ("proxy.conf", Row("gunicorn", "flask", False, "gthread")),
    ("proxy.conf", Row("uvicorn", "starlette", True)),
    ("proxy.conf", Row("uvicorn", "fastapi", True)),
    ("proxy.conf", Row("sanic", "sanic", True)),
    ("proxy.conf", Row("tornado", "tornado", True)),
    ("uwsgi.conf", Row("uwsgi", "django", False)),
    ("uwsgi.conf", Row("uwsgi", "flask", False)),
]


@pytest.mark.parametrize(("file", "row"), CASES, ids=[f"{file}-{row}" for file, row in CASES])
def test_service_sees_who_asks_and_how(file: str, row: Row, tmp_path: Path) -> None:
    require_nginx()
    port = free_port()
    with staged(row, tmp_path / "project") as stage:
        stage.start()
        text = (SITES / file).read_text(encoding="utf-8")
        for old, new in (
            ("listen 80;", f"listen {port};"),
            ("127.0.0.1:8000", f"127.0.0.1:{stage.port}"),
            ("include uwsgi_params;", f"include {PARAMETERS};"),
        ):
            text = text.replace(old, new)
        site = tmp_path / "site.conf"
        site.write_text(text, encoding="utf-8")
        host = f"shop.localhost:{port}"
        with nginx(site, tmp_path / "documented", lambda: stage.ask("/api/pid", port=port)[0]):
            status, seen = stage.ask(
                "/api/seen", {**SPOOFS, "Host": host}, source=STRANGER, port=port
            )
    assert status == 200
    assert seen == {
        "address": STRANGER,
        "scheme": "http",
        "host": host,
        "url": f"http://{host}/api/seen",
    }
