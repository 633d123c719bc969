"""The page about servers says what the record says."""

import json

from tests.deploy.record import PAGE, RECORD, SOAK, with_tables
from tests.deploy.rows import ROWS


def test_page_is_what_the_record_makes_of_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page


def test_record_holds_every_server_and_nothing_that_is_wrong() -> None:
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["rows"]
    assert [(row["name"], row["backend"]) for row in rows] == [
        (row.name, row.backend) for row in ROWS
    ]
    assert [row["problems"] for row in rows] == [[]] * len(ROWS)


def test_no_request_was_lost_in_ten_minutes() -> None:
    for figure in json.loads(SOAK.read_text(encoding="utf-8")):
        assert figure["minutes"] >= 10
        assert figure["usual"]["sent"] == figure["usual"]["answered"]
        # A service that leaks would have grown by more with every reload.
        assert figure["memory"][1] < figure["memory"][0] * 1.5
