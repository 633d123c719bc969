"""Clients that send requests without pause, and count what becomes of them."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType

HOST = "127.0.0.1"
# Seconds after which an answer counts as lost.
LATE = 30.0


@dataclass
class Tally:
    """What became of requests.

    Attributes:
        sent: requests that were begun.
        answered: answers with status 200.
        failed: what came instead, and how often.
    """

    sent: int = 0
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def problems(self) -> list[str]:
        """Return what was lost, in words."""
        found = [f"{count} x {what}" for what, count in sorted(self.failed.items())]
        missing = self.sent - self.answered - self.failed.total()
        return found + ([f"{missing} without any answer"] if missing else [])


class Load:
    """Sends requests from a thread of its own while its block is open.

    Args:
        port: where to.
        host: the Host header.
        requests: method and target, in turn; a POST sends a short JSON text.
        clients: how many send at the same time, each on a new connection per request.
        pause: seconds a client waits between two requests.

    Attributes:
        tally: what becomes of them; another may be put in its place, which counts those begun from
            then on.
    """

    def __init__(
        self,
        port: int,
        host: str,
        requests: Sequence[tuple[str, str]],
        *,
        clients: int = 8,
        pause: float = 0.0,
    ) -> None:
        self._port = port
        self._messages = itertools.cycle([_message(host, *item) for item in requests])
        self._clients = clients
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.tally = Tally()

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> Tally:
        """Send no more, wait for the answers, and return what became of all."""
        self._ended.set()
        self._thread.join()
        return self.tally

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(self._client())

    async def _client(self) -> None:
        while not self._ended.is_set():
            message, tally = next(self._messages), self.tally
            tally.sent += 1
            try:
                async with asyncio.timeout(LATE):
                    status = await _ask(self._port, message)
            except (OSError, TimeoutError, EOFError) as exc:
                tally.failed[type(exc).__name__] += 1
            else:
                if status == "200":
                    tally.answered += 1
                else:
                    tally.failed[f"status {status}"] += 1
            if self._pause:
                await asyncio.sleep(self._pause)


def _message(host: str, method: str, target: str) -> bytes:
    body = b'{"text": "hello"}' if method == "POST" else b""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _ask(port: int, message: bytes) -> str:
    """Return the status of a whole answer.

    Raises:
        EOFError: the connection ended before the answer did.
        OSError: the connection was refused or broken.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.read()
    finally:
        writer.close()
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    length = fields.get("content-length")
    if length is not None and len(body) != int(length):
        raise EOFError(f"{len(body)} of {length} bytes")
    if fields.get("transfer-encoding") == "chunked" and not body.endswith(b"0\r\n\r\n"):
        raise EOFError("no last chunk")
    return lines[0].split(" ")[1]
