"""Start-up and shutdown of a serving process, once each."""

import asyncio
import atexit
import inspect
import logging
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from utilmeta.supervisor.sockets import send_datagram
from utilmeta.supervisor.variables import DRAINING, NOTIFY, ROW
from utilmeta.utils.exceptions import ConfigError

Hook = Callable[[], Any]
logger = logging.getLogger("utilmeta.lifecycle")

# Status of a process that ends because a start-up hook failed (sysexits.h, EX_SOFTWARE).
FAILED = 70


class Lifecycle:
    """The hooks of a service and whether this process has run them.

    Start-up happens where the server announces it, or at the first request; never before a fork.
    """

    def __init__(self) -> None:
        self.startup: list[Hook] = []
        self.shutdown: list[Hook] = []
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self.started = False
        self._is_draining = False
        self._stopped = False
        self._lock = threading.Lock()
        self._registered = False

    @property
    def is_draining(self) -> bool:
        """Whether this process, or the whole service, was told to end."""
        file = os.environ.get(DRAINING)
        return self._is_draining or (file is not None and Path(file).exists())

    def drain(self) -> None:
        """Turn readiness false, as the process is going to end."""
        self._is_draining = True

    def check(self, *, asynchronous: bool) -> None:
        """Refuse async hooks on a sync service.

        Raises:
            ConfigError: there is one; names it.
        """
        if asynchronous:
            return
        for kind, hooks in (("on_startup", self.startup), ("on_shutdown", self.shutdown)):
            for hook in hooks:
                if inspect.iscoroutinefunction(hook):
                    raise ConfigError(
                        f"@service.{kind}: {hook.__module__}.{hook.__qualname__} is async, but the "
                        "service is sync; write a plain function, or give asynchronous=True"
                    )

    def start(self) -> None:
        """Run the start-up hooks, unless this process has.

        A hook that fails ends the process: it must not answer unprepared.
        """
        if self.started:
            return
        with self._lock:
            if self.started:
                return
            try:
                self.start_now()
            except Exception:
                _end_process()

    async def astart(self) -> None:
        """Run the start-up hooks; the async twin of `start`."""
        if self.started:
            return
        # A thread may hold it as well, which no lock of asyncio could see.
        while not self._lock.acquire(blocking=False):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        try:
            if not self.started:
                await self._astart()
        except Exception:
            _end_process()
        finally:
            self._lock.release()

    async def start_or_raise(self) -> None:
        """Run the start-up hooks for a server that ends the process itself when one fails."""
        if not self.started:
            await self._astart()

    async def _astart(self) -> None:
        for hook in self.startup:
            await _arun(hook)
        self._begin()

    def start_now(self) -> None:
        """Run the start-up hooks for `service.run()`, which lets their errors pass."""
        if not self.started:
            for hook in self.startup:
                _run(hook)
            self._begin()

    def _begin(self) -> None:
        self.started = True
        if not self._registered:
            self._registered = True
            atexit.register(self.stop)
            if multiprocessing.parent_process() is not None:
                # Processes that multiprocessing starts end without atexit.
                multiprocessing.util.Finalize(None, self.stop, exitpriority=0)
        _tell_ready()

    def stop(self) -> None:
        """Run the shutdown hooks in reverse order, if this process has started."""
        if not self._leave():
            return
        for hook in reversed(self.shutdown):
            try:
                _run(hook)
            except Exception:  # the next ones must run all the same
                logger.exception("the shutdown hook %s failed", _name(hook))

    async def astop(self) -> None:
        """Run the shutdown hooks; the async twin of `stop`."""
        if not self._leave():
            return
        for hook in reversed(self.shutdown):
            try:
                await _arun(hook)
            except Exception:  # the next ones must run all the same
                logger.exception("the shutdown hook %s failed", _name(hook))

    def _leave(self) -> bool:
        if not self.started or self._stopped:
            return False
        self._stopped = True
        return True

    def end_on_sigterm(self) -> None:
        """Make SIGTERM end the process by way of atexit, where no server handles it.

        Only where nothing else does, and only in the main thread, which alone may ask for it.
        """
        in_main = threading.current_thread() is threading.main_thread()
        # uWSGI handles signals in C, which Python cannot see.
        if (
            in_main
            and "uwsgi" not in sys.modules
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        ):
            signal.signal(signal.SIGTERM, _exit_on_signal)


def _tell_ready() -> None:
    """Tell the supervisor, where there is one, that this process is ready."""
    address = os.environ.get(NOTIFY)
    if address:
        try:
            send_datagram(address, f"{os.environ.get(ROW, '0')} {os.getpid()}")
        except OSError as exc:
            logger.warning("the supervisor at %s cannot be told: %s", address, exc)


def _exit_on_signal(number: int, _frame: object) -> None:
    # A second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    sys.exit(0)


def _run(hook: Hook) -> None:
    if inspect.iscoroutinefunction(hook):
        call: Callable[[], Any] = async_to_sync(hook)
        call()
    else:
        hook()


async def _arun(hook: Hook) -> None:
    if inspect.iscoroutinefunction(hook):
        coroutine: Coroutine[Any, Any, Any] = hook()
        await coroutine
    else:
        # A sync hook may use Django's ORM, which refuses to run on an event loop.
        await sync_to_async(hook)()


def _name(hook: Hook) -> str:
    return getattr(hook, "__qualname__", repr(hook))


def _end_process() -> None:
    traceback.print_exc()
    logger.critical("a start-up hook failed; the process ends")
    logging.shutdown()
    sys.stderr.flush()
    os._exit(FAILED)
