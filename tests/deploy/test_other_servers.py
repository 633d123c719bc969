"""Servers other than gunicorn, behind nginx, with the files that were written for them."""

from pathlib import Path

import pytest

from tests.deploy.examine import examine
from tests.deploy.rows import OTHERS, Row
from tests.services import require_nginx


@pytest.mark.parametrize("row", OTHERS, ids=str)
def test_serves_reloads_and_ends_without_loss(row: Row, tmp_path: Path) -> None:
    require_nginx()
    assert examine(row, tmp_path / "project").problems == []
