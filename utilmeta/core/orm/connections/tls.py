"""TLS that is asked for is TLS that is there."""

from collections.abc import Collection
from typing import Any

from django.db import OperationalError
from django.db.backends.signals import connection_created


def require_tls(aliases: Collection[str]) -> None:
    """Refuse new connections of MariaDB and MySQL that ended up without TLS.

    Their client library goes on in plain text when the server has none, whatever it was asked for.

    Args:
        aliases: the connections that were declared with `ssl`.
    """
    wanted = frozenset(aliases)

    def check(connection: Any, **_signal: Any) -> None:
        if connection.alias not in wanted or connection.vendor != "mysql":
            return
        with connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            row = cursor.fetchone()
        if not row or not row[1]:
            connection.close()
            raise OperationalError(
                f"Database(ssl=...) of {connection.alias!r}: the server offers no TLS, and a plain "
                "connection was not asked for"
            )

    connection_created.connect(check, weak=False, dispatch_uid="utilmeta.require_tls")
