"""What the floor does with the database: SQL by hand on the driver, encoded by msgspec.

Connections are kept: one for each thread.
"""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from benchmarks.data import add_sleep, database_url, is_postgres, slow_sql, sqlite_path
from benchmarks.workloads import LISTED

encode = msgspec.json.Encoder().encode
encode_lines = msgspec.json.Encoder().encode_lines
LINES = 100
POSTGRES = is_postgres()
MARK = "%s" if POSTGRES else "?"
SLOW_SQL = slow_sql()
COLUMNS = """
SELECT a.id, a.slug, a.title, a.description, a.created_at, a.updated_at,
    (SELECT COUNT(*) FROM conduit_comment c WHERE c.article_id = a.id),
    u.username, u.bio, u.image
FROM conduit_article a JOIN conduit_user u ON u.id = a.author_id
"""
NEWEST = f"{COLUMNS} ORDER BY a.created_at DESC, a.id DESC LIMIT {LISTED}"
ONE = f"{COLUMNS} WHERE a.id = {MARK}"
TAGS = """
SELECT r.article_id, t.name FROM conduit_article_tags r JOIN conduit_tag t ON t.id = r.tag_id
WHERE r.article_id {} ORDER BY t.name
"""
TAGS_OF_ONE = TAGS.format(f"= {MARK}")
TAGS_OF_SOME = TAGS.format(
    "= ANY(%s)" if POSTGRES else f"IN ({', '.join(['?'] * LISTED)})",
)
INSERT = f"""
INSERT INTO conduit_article
    (author_id, slug, title, description, body, created_at, updated_at)
VALUES ({", ".join([MARK] * 7)}) RETURNING id
"""
COMMENTS = "SELECT id, article_id, author_id, created_at FROM conduit_comment ORDER BY id"
_local = threading.local()


def connect() -> Any:
    """Return this thread's connection."""
    try:
        return _local.connection
    except AttributeError:
        pass
    if POSTGRES:
        import psycopg

        _local.connection = psycopg.connect(database_url(), autocommit=True)
    else:
        _local.connection = sqlite3.connect(sqlite_path(), isolation_level=None)
        _local.connection.execute("PRAGMA foreign_keys = ON")
        add_sleep(_local.connection)
    return _local.connection


def _moment(value: Any) -> Any:
    # SQLite holds text; "2026-01-01 00:00:00" in UTC.
    return value if POSTGRES else f"{value[:10]}T{value[11:]}Z"


def joined(rows: list[Any], tags: Any) -> list[dict[str, Any]]:
    """Return articles with the names of their tags."""
    found: dict[int, dict[str, Any]] = {
        row[0]: {
            "slug": row[1],
            "title": row[2],
            "description": row[3],
            "created_at": _moment(row[4]),
            "updated_at": _moment(row[5]),
            "comments_count": row[6],
            "author": {"username": row[7], "bio": row[8], "image": row[9]},
            "tags": [],
        }
        for row in rows
    }
    for article, name in tags:
        found[article]["tags"].append(name)
    return list(found.values())


def newest() -> bytes:
    """Return the newest articles as JSON."""
    connection = connect()
    rows = connection.execute(NEWEST).fetchall()
    keys = [row[0] for row in rows]
    return encode(joined(rows, connection.execute(TAGS_OF_SOME, (keys,) if POSTGRES else keys)))


def one(key: int) -> bytes | None:
    """Return an article as JSON; None when there is none."""
    connection = connect()
    rows = connection.execute(ONE, (key,)).fetchall()
    return encode(joined(rows, connection.execute(TAGS_OF_ONE, (key,)))[0]) if rows else None


def _values(row: Any) -> tuple[Any, ...]:
    now = datetime.now(UTC)
    # As Django writes moments in SQLite.
    moment: Any = now if POSTGRES else now.replace(tzinfo=None).isoformat(" ")
    return (row.author_id, row.slug, row.title, row.description, row.body, moment, moment)


def create(row: Any) -> bytes:
    """Make an article and return its key and slug as JSON."""
    key = connect().execute(INSERT, _values(row)).fetchone()[0]
    return encode({"id": key, "slug": row.slug})


def create_many(rows: list[Any]) -> bytes:
    """Make articles in one statement and return their keys and slugs as JSON."""
    mark = f"({', '.join([MARK] * 7)})"
    sql = INSERT.replace(mark, ", ".join([mark] * len(rows)))
    values = [value for row in rows for value in _values(row)]
    keys = connect().execute(sql, values).fetchall()
    return encode([{"id": key, "slug": row.slug} for (key,), row in zip(keys, rows, strict=True)])


def slow() -> bytes:
    """Run the query that takes 20 ms."""
    connect().execute(SLOW_SQL).fetchone()
    return b'{"slept": true}'


def lines() -> Iterator[bytes]:
    """Yield all comments as JSON lines, a hundred at a time."""
    cursor = connect().execute(COMMENTS)
    while rows := cursor.fetchmany(LINES):
        yield encode_lines(
            [
                {
                    "id": key,
                    "article_id": article,
                    "author_id": author,
                    "created_at": _moment(created),
                }
                for key, article, author, created in rows
            ]
        )
