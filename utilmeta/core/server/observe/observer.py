"""One request as those see it who watch, from its first byte to the last of its answer."""

import time
import uuid
from collections.abc import Iterable, Sequence
from contextvars import Token
from typing import Any, AnyStr

from utilmeta.core.request import RawRequest, Request, RequestRules
from utilmeta.utils.logs import current_labels, is_request_id

# What stands for the route of a request that belongs to none.
UNMATCHED = "unmatched"
# Status of a request whose client went away before there was an answer, as nginx has it.
GONE = 499


class Seen:
    """One request, or WebSocket, that is being watched.

    Args:
        raw: the request.
        request_id: its id; None where none is given.
        is_socket: whether it is a WebSocket.

    Attributes:
        started: when it began, by `time.perf_counter`.
        route: template of the path, such as `/api/users/{id}`; None when nothing is there.
        status: of the answer; 0 before there is one.
        size: bytes of the answer's body that were sent; None where nobody counts.
        error: the exception that was answered for; None for an endpoint's own answer.
        code: close code of a WebSocket; None where it is not known.
        is_broken: whether the body of the answer has ended with an error.
        is_probe: whether it asks for health or metrics.
        trace: trace id and span id in hexadecimal; None without tracing.
        span: the span of the request; None without tracing.
        context: what the tracing library has in force within the request.
    """

    __slots__ = (
        "_is_over",
        "code",
        "context",
        "error",
        "id",
        "is_broken",
        "is_probe",
        "is_socket",
        "raw",
        "route",
        "size",
        "span",
        "started",
        "status",
        "trace",
    )

    def __init__(self, raw: RawRequest, request_id: str | None, *, is_socket: bool) -> None:
        self.raw = raw
        self.id = request_id
        self.is_socket = is_socket
        self.started = time.perf_counter()
        self.route: str | None = None
        self.status = 0
        self.size: int | None = None
        self.error: BaseException | None = None
        self.code: int | None = None
        self.is_broken = False
        self.is_probe = False
        self.trace: tuple[str, str] | None = None
        self.span: Any = None
        self.context: Any = None
        self._is_over = False

    def end_once(self) -> bool:
        """Return whether this is the first time it ends."""
        is_first, self._is_over = not self._is_over, True
        return is_first

    def broke(self, error: Exception) -> None:
        """Note that the body of the answer has ended with an error."""
        self.error = error
        self.is_broken = True

    @property
    def has_failed(self) -> bool:
        """Whether the server is at fault."""
        return self.status >= 500 or self.is_broken

    @property
    def target(self) -> str:
        """The whole path, decoded."""
        return (self.raw.prefix + self.raw.path) or "/"


class Watcher:
    """Somebody who watches requests; what it does not need it leaves as it is.

    Attributes:
        observer: who tells it of them.

    Its methods do not raise, and none of them waits.
    """

    # Whether `enter` and `leave` have to be called.
    has_context = False
    observer: "Observer"

    def begin(self, seen: Seen) -> None:
        """A request has come in."""

    def probe(self, seen: Seen) -> None:
        """A request has turned out to ask for health or metrics."""

    def enter(self, seen: Seen) -> Any:
        """Put in force what holds within the request; returns what `leave` is given."""

    def leave(self, token: Any) -> None:
        """Undo `enter`, in the same context."""

    def end(self, seen: Seen, seconds: float) -> None:
        """A request's answer has been sent, or given up."""


class Observer:
    """Tells watchers of requests.

    Args:
        watchers: who watches.
        rules: limits and trusted proxies of the service.
        header: header of request ids; None gives requests none.
    """

    def __init__(
        self, watchers: Sequence[Watcher], rules: RequestRules, header: str | None = None
    ) -> None:
        self.watchers = tuple(watchers)
        self._rules = rules
        for watcher in watchers:
            watcher.observer = self
        self._entering = tuple(item for item in watchers if item.has_context)
        self.header = header
        self._asked = None if header is None else header.lower()

    def begin(self, raw: RawRequest, *, is_socket: bool = False) -> Seen:
        """Return a request that is watched from now on."""
        seen = Seen(raw, self._id_of(raw), is_socket=is_socket)
        for watcher in self.watchers:
            watcher.begin(seen)
        return seen

    def _id_of(self, raw: RawRequest) -> str | None:
        if self._asked is None:
            return None
        given = raw.header(self._asked)
        # It is a label and nothing else, so that everybody may give one.
        return given if given is not None and is_request_id(given) else uuid.uuid4().hex

    def place(self, seen: Seen, route: str | None, *, is_probe: bool) -> None:
        """Tell where a request has been found to belong.

        Args:
            seen: the request.
            route: template of its path; None when nothing is there.
            is_probe: whether it asks for health or metrics.
        """
        seen.route = route
        if is_probe and not seen.is_probe:
            seen.is_probe = True
            for watcher in self.watchers:
                watcher.probe(seen)

    def within(self, seen: Seen) -> "Within":
        """Return a block in which a request is in force."""
        return Within(self, seen, ends=False)

    def watch(self, seen: Seen) -> "Within":
        """Return a block in which a request is in force; an exception that leaves it ends it."""
        return Within(self, seen, ends=True)

    def enter(self, seen: Seen) -> tuple[Token[Any], list[Any]]:
        """Put a request in force in the current context, until `leave`."""
        token: Token[Any] = current_labels.set(seen)
        return token, [watcher.enter(seen) for watcher in self._entering]

    def leave(self, entered: tuple[Token[Any], list[Any]]) -> None:
        """Undo `enter`."""
        token, tokens = entered
        for watcher, given in zip(reversed(self._entering), reversed(tokens), strict=True):
            watcher.leave(given)
        current_labels.reset(token)

    def end(self, seen: Seen, error: BaseException | None = None) -> None:
        """Tell that a request is over; the second time nothing is told.

        Args:
            seen: the request.
            error: what ended it, in place of an answer.
        """
        if not seen.end_once():
            return
        if error is not None:
            seen.error = error
            if not seen.status:
                seen.status = 500 if isinstance(error, Exception) else GONE
        seconds = time.perf_counter() - seen.started
        with self.within(seen):
            for watcher in self.watchers:
                watcher.end(seen, seconds)

    def client_of(self, seen: Seen) -> str | None:
        """Return the address of a request's client, as trusted proxies tell it."""
        return Request(seen.raw, self._rules).ip_address

    def request_of(self, seen: Seen) -> Request:
        """Return what the service's rules make of a request."""
        return Request(seen.raw, self._rules)


class Within:
    """A block in which a request is in force.

    Args:
        observer: tells of the request.
        seen: the request.
        ends: whether an exception that leaves the block ends the request.
    """

    __slots__ = ("_ends", "_entered", "_observer", "_seen")

    def __init__(self, observer: Observer, seen: Seen, *, ends: bool) -> None:
        self._observer = observer
        self._seen = seen
        self._ends = ends

    def __enter__(self) -> Seen:
        self._entered = self._observer.enter(self._seen)
        return self._seen

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._observer.leave(self._entered)
        if error is not None and self._ends:
            self._observer.end(self._seen, error)


def labelled(
    headers: Iterable[tuple[AnyStr, AnyStr]], name: AnyStr, value: AnyStr
) -> list[tuple[AnyStr, AnyStr]]:
    """Return header fields with one of them set, in place of those that had its name."""
    folded: AnyStr = name.lower()
    kept: list[tuple[AnyStr, AnyStr]] = [pair for pair in headers if pair[0].lower() != folded]
    kept.append((name, value))
    return kept


def current_seen() -> Seen | None:
    """Return the request that is being watched here and now."""
    found = current_labels.get()
    return found if isinstance(found, Seen) else None
