"""Which errors of drivers mean that the database is away."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError

from tests.unit.plain import PlainRequest
from utilmeta.conf import Preference
from utilmeta.core.api.errors import answer_error, message_of, status_of
from utilmeta.core.orm.connections.availability import AWAY, is_away
from utilmeta.core.request import Request, RequestRules


def raised(cause: BaseException, kind: type[Exception] = OperationalError) -> Exception:
    """Return an error of Django's as its wrapper makes it of a driver's."""
    error = kind(*cause.args)
    error.__cause__ = cause
    return error


def of_state(state: str) -> psycopg.Error:
    return psycopg.errors.lookup(state)("told by host db.internal")


class MySQLError(Exception):
    """As mysqlclient has them: a number and a text."""

    __module__ = "MySQLdb._exceptions"


GONE: list[Exception] = [
    raised(psycopg.OperationalError("connection failed: db.internal refused")),
    raised(psycopg.OperationalError("the connection is closed")),
    raised(psycopg_pool.PoolTimeout("couldn't get a connection after 5.00 sec")),
    raised(psycopg_pool.TooManyRequests("queue")),
    *(raised(of_state(state)) for state in ("08006", "57P01", "57P02", "57P03", "53300")),
    *(raised(MySQLError(code, "text")) for code in (1040, 1053, 2002, 2003, 2006, 2013)),
    raised(MySQLError(0, ""), InterfaceError),
]
PRESENT: list[Exception] = [
    OperationalError("of nobody"),
    ValueError("no error of a database"),
    psycopg.OperationalError("not through Django"),
    raised(of_state("40P01")),
    raised(of_state("55P03")),
    raised(of_state("57014")),
    raised(of_state("42P01"), ProgrammingError),
    raised(psycopg.InterfaceError("the cursor is closed"), InterfaceError),
    *(raised(MySQLError(code, "text")) for code in (1205, 1213, 1146, 1064)),
    raised(ValueError("of a driver that is not known")),
]


@pytest.mark.parametrize("error", GONE, ids=repr)
def test_lost_and_refused_connections_are_away(error: Exception):
    assert is_away(error)
    assert (status_of(error), message_of(error, debug=True)) == (503, AWAY)


@pytest.mark.parametrize("error", PRESENT, ids=repr)
def test_what_a_database_complains_of_is_not(error: Exception):
    assert not is_away(error)
    assert status_of(error) == 500


def sqlite_error(path: Path, text: str) -> Exception:
    """Return what SQLite raises for a statement on a file."""

    def ask() -> None:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute(text)

    with pytest.raises(sqlite3.OperationalError) as caught:
        ask()
    return raised(caught.value)


def test_a_file_that_cannot_be_opened_is_away(tmp_path: Path):
    assert is_away(sqlite_error(tmp_path / "absent" / "db", "SELECT 1"))


def test_wrong_sql_is_not(tmp_path: Path):
    assert not is_away(sqlite_error(tmp_path / "db", "SELECT * FROM missing"))


def test_a_locked_file_is_not(tmp_path: Path):
    other = sqlite3.connect(tmp_path / "db")
    try:
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        assert not is_away(sqlite_error(tmp_path / "db", "SELECT * FROM t"))
    finally:
        other.close()


@pytest.mark.parametrize("debug", [False, True])
def test_the_answer_names_no_host_and_says_when_to_try_again(
    debug: bool, caplog: pytest.LogCaptureFixture
):
    request: Any = Request(PlainRequest(), RequestRules.of(Preference()))
    answer = answer_error(GONE[0], request, debug=debug)
    headers = dict(answer.headers)
    assert (answer.status, headers["retry-after"]) == (503, "5")
    assert b"db.internal" not in answer.body
    assert [record.exc_info is not None for record in caplog.records] == [True]
