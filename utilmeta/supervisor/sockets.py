"""Sockets that outlive the processes that serve on them."""

import errno
import os
import socket
import stat
from pathlib import Path


def listen(bind: str) -> socket.socket:
    """Return a listening socket.

    Args:
        bind: `HOST:PORT`, `[ADDRESS]:PORT` or `unix:PATH`.

    Raises:
        OSError: the address is taken, or none of this machine's.
        ValueError: it is written otherwise.
    """
    if bind.startswith("unix:"):
        return _listen_on_path(Path(bind.removeprefix("unix:")))
    host, _, port = bind.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"--bind {bind}: expected HOST:PORT or unix:PATH")
    found = socket.getaddrinfo(
        host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    family, _, _, _, address = found[0]
    opened = socket.create_server(address[:2], family=family, backlog=socket.SOMAXCONN)
    # Connections inherit it; an answer that comes in pieces would otherwise wait for the client.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _listen_on_path(path: Path) -> socket.socket:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        found = probe.connect_ex(str(path))
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise OSError(f"--bind unix:{path}: a file is there, which is no socket; it is left alone")
    if found not in (errno.ENOENT, errno.ECONNREFUSED):
        raise OSError(f"another process listens on {path}")
    # What a process has left that was killed.
    path.unlink(missing_ok=True)
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.bind(str(path))
    # For the proxy, which is to be in the group of the service's user.
    path.chmod(0o660)
    opened.listen(socket.SOMAXCONN)
    return opened


def send_datagram(address: str, text: str) -> None:
    """Send a text to a datagram socket of this machine.

    Args:
        address: its path; one that begins with `@` is of Linux's abstract namespace.
        text: at most a few hundred bytes.

    Raises:
        OSError: nobody listens there.
    """
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(os.fsencode(text), target)
