"""Asks a service on this machine whether it is well: `python -m utilmeta.deploy.ask URL`.

For the health checks of containers. `uwsgi://HOST:PORT/PATH` speaks uWSGI's own protocol.
"""

import http.client
import socket
import struct
import sys
from urllib.parse import urlsplit

SECONDS = 4.0


def ask(url: str) -> int:
    """Return the status that a URL is answered with.

    Args:
        url: `http://` or `uwsgi://`.

    Raises:
        OSError: nobody answers.
        ValueError: the answer is none of HTTP.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    if parts.scheme == "uwsgi":
        return _ask_uwsgi(host, port, parts.path)
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status
    finally:
        connection.close()


def _ask_uwsgi(host: str, port: int, path: str) -> int:
    """Source: uWSGI's documentation, The uwsgi Protocol."""
    variables = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": path,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "HTTP_HOST": f"{host}:{port}",
        "REMOTE_ADDR": "127.0.0.1",
    }
    body = b"".join(
        struct.pack("<H", len(item)) + item.encode() for pair in variables.items() for item in pair
    )
    with socket.create_connection((host, port), timeout=SECONDS) as connection:
        connection.sendall(struct.pack("<BHB", 0, len(body), 0) + body)
        line = connection.makefile("rb").readline()
    return int(line.split()[1]) if line.startswith(b"HTTP/") else 0


def main() -> int:
    """Return 0 when the service is well, 1 when not."""
    try:
        status = ask(sys.argv[1])
    except (OSError, ValueError, http.client.HTTPException) as exc:
        sys.stderr.write(f"{sys.argv[1]}: {exc}\n")
        return 1
    if status != 200:
        sys.stderr.write(f"{sys.argv[1]}: answered {status}\n")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
