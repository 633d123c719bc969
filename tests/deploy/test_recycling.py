"""Processes that are replaced after so many answers, under load."""

from collections import Counter
from pathlib import Path

import pytest

from tests.deploy.examine import MIXED, WORKERS
from tests.deploy.load import Load
from tests.deploy.rows import GUNICORN, OTHERS, Row
from tests.deploy.stage import is_alive, staged, wait_until
from tests.services import require_nginx

COUNTING = {"gunicorn", "uwsgi", "uvicorn"}
ROWS = [row for row in [*GUNICORN, *OTHERS] if row.server in COUNTING and not row.preload]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_no_request_is_lost_when_a_process_has_answered_enough(row: Row, tmp_path: Path) -> None:
    require_nginx()
    with staged(row, tmp_path / "project", MAX_REQUESTS="60") as stage:
        stage.start()
        with Load(stage.listen, stage.host, MIXED, clients=4) as load:
            wait_until(
                lambda: len({pid for _, pid in stage.notes()}) >= WORKERS + 3,
                40,
                what="three processes have been replaced",
            )
        assert load.tally.problems() == []
        ended = {pid for _, pid in stage.notes() if not is_alive(pid)}
        counts = Counter(stage.notes())
        assert len(ended) >= 2
        assert [(counts["start", pid], counts["stop", pid]) for pid in ended] == [(1, 1)] * len(
            ended
        )
