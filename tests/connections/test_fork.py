"""Connections that were opened before a fork."""

from pathlib import Path

import pytest

from tests.entrances.projects import SHOP, script, write
from tests.services import HOST, POSTGRES_PORT, require_postgres

SCRIPT = """
import json
import os
from utilmeta import UtilMeta
from utilmeta.core.orm import Database, DatabaseConnections

service = UtilMeta("shop", name="shop", backend="flask")
known = {{"name": "test", "engine": "postgresql", "user": "postgres"}}
service.use(DatabaseConnections({{"default": Database(**known, host={host!r}, port={port})}}))
service.setup()
from django.db import connection


def pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


before = pid()
reading, writing = os.pipe()
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        os.write(writing, f"{{pid()}}\\n".encode())
        connection.close()
        os._exit(0)
    children.append(os.waitpid(child, 0)[1])
os.close(writing)
with os.fdopen(reading) as lines:
    found = [int(line) for line in lines]
print("FACTS " + json.dumps({{"statuses": children, "distinct": len({{before, *found}}),
                              "same": pid() == before}}))
"""


@pytest.mark.postgres
def test_children_open_connections_of_their_own(tmp_path: Path) -> None:
    require_postgres()
    text = SCRIPT.format(host=HOST, port=POSTGRES_PORT)
    done = script(write(tmp_path, SHOP), text).facts
    assert done == {"statuses": [0, 0], "distinct": 3, "same": True}
