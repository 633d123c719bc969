"""A MariaDB connection that is ended, or cannot be made."""

from pathlib import Path

import pytest

from tests.entrances.projects import SHOP, script, write
from tests.servers import free_port
from tests.services import HOST, MYSQL_PORT, require_mysql

pytestmark = pytest.mark.mysql

SCRIPT = """
import json
from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections

service = UtilMeta("shop", name="shop", backend="flask")
known = {{"name": "test", "engine": "mysql", "user": "root", "host": {host!r}}}
service.use(
    DatabaseConnections(
        {{
            "default": Database(**known, port={port}, max_age={age}),
            "nobody": Database(**known, port={closed}),
        }}
    )
)
service.setup()
from django.db import connections, transaction
from utilmeta.core.api.errors import status_of
from utilmeta.core.server.engine.hygiene import tidy_connections


def ask(alias, text):
    tidy_connections()
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(text)
            return 200
    except Exception as exc:
        return status_of(exc)
    finally:
        tidy_connections()


def ask_in_transaction(text):
    tidy_connections()
    try:
        with transaction.atomic():
            with connections["default"].cursor() as cursor:
                cursor.execute(text)
    except Exception as exc:
        return status_of(exc)
    finally:
        tidy_connections()


kill = "KILL CONNECTION_ID()"
found = [ask("default", "SELECT 1"), ask("default", kill), ask("default", "SELECT 1"),
         ask_in_transaction(kill), ask("default", "SELECT 1")]
number = connections["default"].connection
if number is not None:
    # Ended by somebody else between two requests.
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(f"KILL {{number.thread_id()}}")
    other.close()
found += [ask("default", "SELECT 1"), ask("default", "SELECT * FROM missing"),
          ask("nobody", "SELECT 1")]
print("FACTS " + json.dumps(found))
"""


@pytest.mark.parametrize("age", [0, 600, None])
def test_only_the_request_that_loses_its_connection_fails(age: int | None, tmp_path: Path) -> None:
    require_mysql()
    text = SCRIPT.format(host=HOST, port=MYSQL_PORT, closed=free_port(), age=age)
    done = script(write(tmp_path, SHOP), text).facts
    assert done == [200, 503, 200, 503, 200, 200, 500, 503]
