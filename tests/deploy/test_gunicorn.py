"""gunicorn with every kind of worker, behind nginx, with the files that were written for it."""

from pathlib import Path

import pytest

from tests.deploy.examine import examine
from tests.deploy.rows import GUNICORN, Row
from tests.services import require_nginx


@pytest.mark.parametrize("row", GUNICORN, ids=str)
def test_serves_reloads_and_ends_without_loss(row: Row, tmp_path: Path) -> None:
    require_nginx()
    assert examine(row, tmp_path / "project").problems == []
