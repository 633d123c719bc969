"""Cases sent to applications without a socket, by the package's own callers."""

from typing import Any

from tests.contract.cases import Case
from tests.servers import Answer
from utilmeta.core.server import inprocess
from utilmeta.core.server.backends.tornado_inprocess import TornadoCaller
from utilmeta.testing.client import Loop

__all__ = ["ASGIClient", "Loop", "TornadoClient", "call_wsgi"]


def sent(case: Case) -> inprocess.Sent:
    """Return a case as a client would send it."""
    pairs = [(name.lower(), value) for name, value in case.headers.items()]
    if not any(name == "host" for name, _ in pairs):
        pairs.insert(0, ("host", "testserver"))
    if case.body is not None:
        pairs.append(("content-length", str(len(case.body))))
    return inprocess.Sent(
        method=case.method,
        target=case.path,
        headers=pairs,
        body=case.body or b"",
        host=("testserver", 80),
    )


def answer(received: inprocess.Received) -> Answer:
    """Return what was received as the tests of sockets know it."""
    return Answer(received.status, received.headers, received.body)


def call_wsgi(app: Any, case: Case) -> Answer:
    """Return a WSGI application's answer."""
    return answer(inprocess.call_wsgi(app, sent(case)))


class ASGIClient:
    """Calls an ASGI application, between its start-up and its shutdown."""

    def __init__(self, app: Any, loop: Loop) -> None:
        self._caller = self.make(app)
        self._loop = loop
        loop.run(self._caller.start())

    @staticmethod
    def make(app: Any) -> inprocess.Caller:
        """Return the package's caller."""
        return inprocess.ASGICaller(app)

    def close(self) -> None:
        """Shut the application down."""
        self._loop.run(self._caller.stop())

    def __call__(self, case: Case) -> Answer:
        """Return the application's answer."""
        return answer(self._loop.run(self._caller.call(sent(case))))


class TornadoClient(ASGIClient):
    """Calls a Tornado application the way its HTTP server does."""

    @staticmethod
    def make(app: Any) -> inprocess.Caller:
        """Return the package's caller; the service's hooks run at the first request."""
        return TornadoCaller(app, _NoHooks())


class _NoHooks:
    """Hooks of a process that has none to run."""

    def start(self) -> None:
        """Do nothing."""

    async def astart(self) -> None:
        """Do nothing."""

    async def start_or_raise(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    async def astop(self) -> None:
        """Do nothing."""
