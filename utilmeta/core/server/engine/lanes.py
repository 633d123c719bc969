"""Lanes: warm, bounded worker threads, one held for the whole of a request.

A request on an event loop that runs sync code (a sync endpoint, Django's ORM) takes a lane when it
first needs one and gives it back when its response has been sent, so that all of its sync code
shares one thread and with it one set of database connections. asgiref's `sync_to_async`, and so
every async method of Django's ORM, runs on the same lane.
"""

import asyncio
import contextvars
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import SyncToAsync

from utilmeta.core.server.engine.hygiene import (
    NO_BLOCKS,
    close_connections,
    end_left_blocks,
    is_tidy,
    open_blocks,
    opened_here,
    tidy_connections,
)

logger = logging.getLogger("utilmeta.lanes")

T = TypeVar("T")
_UNSET: Any = object()
Job = Callable[[], None]


class Lane:
    """One worker thread; started when it is made.

    Args:
        name: name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._given = 0
        self._done = 0
        self._opened: list[Any] | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Run a job after those that were put before it; it must not raise."""
        self._given += 1
        self._jobs.put(job)

    @property
    def is_at_rest(self) -> bool:
        """Whether all its jobs are done and have left its connections as they should be."""
        opened = self._opened
        return opened is not None and self._done == self._given and is_tidy(opened)

    def end(self) -> None:
        """End the thread after the jobs that were put before."""
        self._jobs.put(None)

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, at most that many seconds."""
        self._thread.join(timeout)

    def _work(self) -> None:
        self._opened = opened_here()
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                # What is waited for tells its waiter; the rest must not cost the lane.
                logger.exception("work on %s failed", threading.current_thread().name)
            # While it waits for the next one, a lane must not keep the last one's request alive.
            del job
            self._done += 1
        close_connections()


class LanePool:
    """The lanes of a process.

    Args:
        size: how many there may be; requests beyond wait for one, first come, first served.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Lane] = []
        self._lanes: list[Lane] = []
        self._waiting: deque[Hold] = deque()

    @property
    def count(self) -> int:
        """How many lanes have been made."""
        return len(self._lanes)

    def acquire(self, hold: "Hold") -> Lane | None:
        """Return a lane for a hold; None when it has to wait and is given one later."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if len(self._lanes) < self.size:
                lane = Lane(f"utilmeta-lane-{len(self._lanes) + 1}")
                self._lanes.append(lane)
                return lane
            self._waiting.append(hold)
            return None

    def release(self, lane: Lane) -> None:
        """Take a lane back and hand it to the request that has waited longest."""
        with self._lock:
            if not self._waiting:
                self._idle.append(lane)
                return
            hold = self._waiting.popleft()
        hold.give(lane)

    def rest(self, timeout: float = 5.0) -> None:
        """End the lanes that no request holds, and with them their connections; more can be made.

        Args:
            timeout: seconds to wait for each.
        """
        with self._lock:
            lanes, self._idle = self._idle, []
            self._lanes = [lane for lane in self._lanes if lane not in lanes]
        for lane in lanes:
            lane.end()
        for lane in lanes:
            lane.join(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """End all lanes, waiting at most that many seconds for the work on them."""
        with self._lock:
            lanes, self._lanes, self._idle = self._lanes, [], []
        for lane in lanes:
            lane.end()
        for lane in lanes:
            lane.join(timeout)


class Hold(Executor):
    """A request's claim on a lane: taken at the first job, given back by `close`.

    It is the executor that asgiref's `sync_to_async` uses within the request. Work that is handed
    in after `close`, by a task that outlives its request, takes a lane for itself.

    Args:
        pool: where the lane comes from.
    """

    _lane: Lane | None = None
    _asked = False
    _closed = False
    _blocks: Mapping[str, int] = NO_BLOCKS
    # What asgiref asks of its contexts: whether nothing may be handed in any more.
    _exited = False

    def __init__(self, pool: LanePool) -> None:
        self._pool = pool
        self._guard = threading.Lock()
        self._pending: list[Job] = []

    def enter(self) -> Any:
        """Make asgiref use this hold in the current context; `leave` undoes it."""
        return _context.set(self)

    @staticmethod
    def leave(token: "contextvars.Token[Any]") -> None:
        """Undo `enter`; the lane itself is given back by `close`."""
        _context.reset(token)

    def give(self, lane: Lane) -> None:
        """Take the lane that was waited for, and run what has gathered."""
        with self._guard:
            self._lane = lane
            for job in self._pending:
                lane.put(job)
            self._pending.clear()

    def put(self, job: Job) -> None:
        """Run a job on this request's lane."""
        with self._guard:
            if self._closed:
                self._put_late(job)
                return
            if self._lane is None and not self._asked:
                self._asked = True
                self._lane = self._pool.acquire(self)
                # In one piece with the first job, so that the thread wakes up once.
                job = partial(self._begin_with, job)
            if self._lane is None:
                self._pending.append(job)
            else:
                self._lane.put(job)

    def _begin_with(self, job: Job) -> None:
        tidy_connections()
        self._blocks = open_blocks()
        job()

    def renew(self) -> None:
        """Leave the lane to the job that is on it, and take another for what follows."""
        with self._guard:
            lane, self._lane = self._lane, None
            if lane is None:
                return
            self._asked = False

        blocks = self._blocks

        def give_back() -> None:
            end_left_blocks(blocks)
            tidy_connections()
            self._pool.release(lane)

        lane.put(give_back)

    def _put_late(self, job: Job) -> None:
        late = Hold(self._pool)
        late.put(job)
        late.close()

    def close(self) -> None:
        """Give the lane back after the jobs handed in so far."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            if self._lane is None and not self._pending:
                return
            if self._lane is not None and self._lane.is_at_rest:
                lane, self._lane = self._lane, None
                self._pool.release(lane)
                return
            give_back = self._give_back
            if self._lane is None:
                self._pending.append(give_back)
            else:
                self._lane.put(give_back)

    def _give_back(self) -> None:
        end_left_blocks(self._blocks)
        tidy_connections()
        with self._guard:
            lane, self._lane = self._lane, None
        if lane is not None:
            self._pool.release(lane)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function on the lane and return its future; the interface asgiref uses."""
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as exc:
                future.set_exception(exc)

        self.put(job)
        return future

    async def run(self, fn: Callable[..., T], /, *args: Any) -> T:
        """Run a function on the lane, in a copy of the current context, and return its result."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def job() -> None:
            if waiter.cancelled():
                # Refused meanwhile, so it must not be done.
                return
            try:
                outcome = context.run(fn, *args)
            except BaseException as exc:
                _tell(loop, waiter, waiter.set_exception, _as_error(exc))
            else:
                _tell(loop, waiter, waiter.set_result, outcome)

        self.put(job)
        try:
            return await waiter
        finally:
            take_over(context)


class _Executors(WeakKeyDictionary[Any, Any]):
    """What asgiref looks its executors up in, by context; a hold is its own.

    Source: asgiref.sync.SyncToAsync.__call__, of asgiref 3.13.
    """

    def __contains__(self, key: object) -> bool:
        return key.__class__ is Hold or super().__contains__(key)

    def __getitem__(self, key: Any) -> Any:
        return key if key.__class__ is Hold else super().__getitem__(key)


_context: Any = SyncToAsync.thread_sensitive_context
SyncToAsync.context_to_thread_executor = _Executors(SyncToAsync.context_to_thread_executor)


def take_over(context: contextvars.Context) -> None:
    """Take over the context variables that code on another thread has set.

    Source: asgiref.sync, which does the same for its own calls.
    """
    for variable, value in context.items():
        if variable.get(_UNSET) is not value:
            variable.set(value)


def _as_error(exc: BaseException) -> BaseException:
    # A future refuses StopIteration (PEP 479).
    return (
        RuntimeError("a sync endpoint raised StopIteration")
        if isinstance(exc, StopIteration)
        else exc
    )


def _tell(
    loop: asyncio.AbstractEventLoop,
    waiter: "asyncio.Future[Any]",
    method: Callable[[Any], None],
    value: object,
) -> None:
    def deliver() -> None:
        if not waiter.done():
            method(value)

    if not loop.is_closed():
        loop.call_soon_threadsafe(deliver)
