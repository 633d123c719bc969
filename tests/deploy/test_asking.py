"""What containers ask themselves whether the service is well."""

import subprocess
import sys
from pathlib import Path

from tests.deploy.rows import OTHERS
from tests.deploy.stage import staged
from tests.servers import ROOT, free_port
from tests.services import require_nginx


def test_asker_tells_whether_the_service_is_well(tmp_path: Path) -> None:
    require_nginx()
    row = next(row for row in OTHERS if row.server == "uwsgi")
    with staged(row, tmp_path / "project") as stage:
        stage.start()
        for url, status in (
            (f"uwsgi://127.0.0.1:{stage.port}/healthz", 0),
            (f"uwsgi://127.0.0.1:{stage.port}/nowhere", 1),
            (f"http://127.0.0.1:{stage.listen}/healthz", 0),
            (f"http://127.0.0.1:{stage.listen}/nowhere", 1),
            (f"http://127.0.0.1:{free_port()}/healthz", 1),
            (f"uwsgi://127.0.0.1:{free_port()}/healthz", 1),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "utilmeta.deploy.ask", url],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert (url, done.returncode) == (url, status)
            assert "Traceback" not in done.stderr
