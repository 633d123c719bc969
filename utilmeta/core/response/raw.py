"""What the engine hands back to an adapter: a finished response."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

Body = bytes | Iterator[bytes] | AsyncIterator[bytes]


def close_source(source: object) -> None:
    """End an iterable, or anything else, that can be closed."""
    closing = getattr(source, "close", None)
    if closing is not None:
        closing()


async def aclose_source(source: object) -> None:
    """End an async iterable that can be closed; the async twin of `close_source`."""
    closing = getattr(source, "aclose", None)
    if closing is not None:
        await closing()


class RawResponse:
    """A response that is ready to be written.

    Attributes:
        status: the status code.
        headers: header pairs in order, names in lower case, repeats kept.
        body: the bytes, or an iterator of them (an async one for async servers).
        error: the exception that the response stands for; None for an endpoint's own answer.
        on_close: called once, in order, when the body has been sent or given up.
        keep_alive: seconds of silence in a stream after which a filler is sent; None for never.
    """

    __slots__ = ("body", "error", "headers", "keep_alive", "on_close", "status")

    def __init__(self, status: int, headers: list[tuple[str, str]], body: Body = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.error: Exception | None = None
        self.on_close: list[Callable[[], None]] = []
        self.keep_alive: float | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header given in lower case."""
        return next((value for key, value in self.headers if key == name), None)

    def set_header(self, name: str, value: str) -> None:
        """Give a header, in lower case, this value in place of all it had."""
        self.headers = [pair for pair in self.headers if pair[0] != name]
        self.headers.append((name, value))

    @property
    def streaming(self) -> bool:
        """Whether the body comes in pieces."""
        return self.body.__class__ is not bytes

    def close(self) -> None:
        """End a sync body and run `on_close`; harmless when called again."""
        try:
            close_source(self.body)
        finally:
            self._finish()

    async def aclose(self) -> None:
        """End an async body and run `on_close`; harmless when called again."""
        try:
            await aclose_source(self.body)
        finally:
            self._finish()

    def _finish(self) -> None:
        pending, self.on_close = self.on_close, []
        # The stack runs all of them, the first put in last, even when one fails.
        with ExitStack() as stack:
            for callback in reversed(pending):
                stack.callback(callback)
