"""Whether an error of the ORM says that the database is away: not reached, or gone meanwhile."""

from collections.abc import Callable, Mapping

from django.db import InterfaceError, OperationalError

AWAY = "The database cannot be reached at the moment; try again later."
# Seconds after which a client may ask again, for `Retry-After` (RFC 9110 section 10.2.3).
RETRY_AFTER = 5

# PostgreSQL, appendix A: connection exceptions (class 08), shutdown, crash, starting up, database
# dropped, ended as idle, too many connections.
_SQLSTATES = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "53300"})
# What psycopg and psycopg2 say of a cursor that is used too late, which is the program's fault.
_CLOSED_CURSORS = frozenset({"the cursor is closed", "cursor already closed"})
# MariaDB and MySQL, server errors: too many connections, shutdown, connection aborted, network
# errors, too many connections of a user, connection killed (MariaDB), ended as idle (MySQL).
_SERVER_CODES = frozenset({1040, 1053, 1152, *range(1158, 1162), 1203, 1927, 4031})
# Client errors: no socket, no host, unknown host, gone away, lost, lost with a system error; 0 is
# what mysqlclient says of a connection that was closed.
_CLIENT_CODES = frozenset({0, 2002, 2003, 2005, 2006, 2012, 2013, 2055})
# sqlite3.h: SQLITE_CANTOPEN; extended codes have it in their lowest byte.
_CANNOT_OPEN = 14


def is_away(error: BaseException) -> bool:
    """Return whether an exception means that the database cannot be reached.

    True for a connection that cannot be made, that the server has ended or that a pool has not got
    in time. False for everything else a database complains of (a missing table, a lock, a
    deadlock, wrong SQL), for drivers that are not known here, and for exceptions that are not
    Django's.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if cause is None:
        return False
    package = type(cause).__module__.partition(".")[0]
    judge = _JUDGES.get(package)
    return judge is not None and judge(cause)


def _of_psycopg(cause: BaseException) -> bool:
    # What libpq itself reports, such as a refused connection, has no state; nor have pools' errors.
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state is None:
        return str(cause) not in _CLOSED_CURSORS
    return state.startswith("08") or state in _SQLSTATES


def _of_mysql(cause: BaseException) -> bool:
    code = cause.args[0] if cause.args else None
    return code in _SERVER_CODES or code in _CLIENT_CODES


def _of_sqlite(cause: BaseException) -> bool:
    code: int = getattr(cause, "sqlite_errorcode", 0)
    return code & 0xFF == _CANNOT_OPEN


_JUDGES: Mapping[str, Callable[[BaseException], bool]] = {
    "psycopg": _of_psycopg,
    "psycopg_pool": _of_psycopg,
    "psycopg2": _of_psycopg,
    "MySQLdb": _of_mysql,
    "pymysql": _of_mysql,
    "sqlite3": _of_sqlite,
}
