"""What starts, replaces and ends processes."""

import contextlib
import logging
import os
import selectors
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from utilmeta.supervisor.children import Child, Row
from utilmeta.supervisor.options import Options
from utilmeta.supervisor.sockets import listen, send_datagram
from utilmeta.supervisor.variables import DESCRIPTOR, DRAINING, METRICS, NOTIFY, ROW, SYSTEMD

logger = logging.getLogger("utilmeta.supervisor")

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
# Seconds that a process has to live for its end to be no failure to start, and the longest wait
# before the next one when several have failed.
_SETTLED = 2.0
_LONGEST_WAIT = 5.0


class Supervisor:
    """Starts, replaces and ends processes until it is told to end.

    Args:
        options: what it is told.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._row = Row(0)
        # The row of a reload, until it is ready, and those that were told to end.
        self._next: Row | None = None
        self._old: list[Row] = []
        self._count = 0
        self._was_ready = False
        # When the grace period is over; None before the end.
        self._ends_at: float | None = None
        self._is_ending = False
        self._status = 0
        self._selector = selectors.DefaultSelector()
        self._received: list[int] = []
        self._folder = Path(tempfile.mkdtemp(prefix="utilmeta-"))
        self._socket: socket.socket | None = None

    def run(self) -> int:
        """Keep the processes until the end; returns the status to exit with.

        Raises:
            OSError: it cannot listen, or the command cannot be started.
            ValueError: the address is none.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            stack.callback(self._stop_listening)
            stack.callback(self._kill_all)
            self._open(stack)
            while not (self._is_ending and not any(self._children())):
                self._keep()
                for key, _ in self._selector.select(self._patience()):
                    key.data()
        return self._status

    def _open(self, stack: contextlib.ExitStack) -> None:
        """Listen, and prepare what signals and processes tell."""
        if self._options.bind is not None:
            self._socket = listen(self._options.bind)
        (self._folder / "metrics").mkdir()
        awake, waker = socket.socketpair()
        notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notes.bind(str(self._folder / "notify"))
        stack.enter_context(self._selector)
        for end in (awake, waker, notes):
            stack.enter_context(end)
            end.setblocking(False)
        self._awake, self._notes = awake, notes
        self._selector.register(awake, selectors.EVENT_READ, self._on_signals)
        self._selector.register(notes, selectors.EVENT_READ, self._on_note)
        for number in _HANDLED:
            signal.signal(number, self._remember)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        stack.callback(signal.set_wakeup_fd, -1)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)

    def _stop_listening(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _rows(self) -> list[Row]:
        return [*self._old, *self._wanted()]

    def _children(self) -> Iterator[Child]:
        for row in self._rows():
            yield from row.children.values()

    def _kill_all(self) -> None:
        for child in self._children():
            child.kill()

    # -- what is due ------------------------------------------------------------------------------

    def _keep(self) -> None:
        now = time.monotonic()
        for row in self._rows():
            row.kill_late(now)
        self._old = [row for row in self._old if row.children]
        if self._is_ending:
            return
        if self._ends_at is not None and now >= self._ends_at:
            self._end()
            return
        for row in self._wanted():
            for _ in range(self._options.workers - len(row.children)):
                if now >= row.next_start and not row.is_ending:
                    self._start(row)
        self._judge_waiting(now)

    def _wanted(self) -> list[Row]:
        return [self._row] if self._next is None else [self._row, self._next]

    def _judge_waiting(self, now: float) -> None:
        """Fail processes that do not become ready in time."""
        for child in self._children():
            if not child.is_ready and now - child.started > self._options.boot:
                logger.error("process %d is not ready in time and is killed", child.pid)
                child.started = now
                child.kill()

    def _patience(self) -> float | None:
        """Return the seconds until something is due, None for never."""
        due = [child.deadline for child in self._children() if child.deadline is not None]
        if not self._is_ending:
            if self._ends_at is not None:
                due.append(self._ends_at)
            boot = self._options.boot
            due += [child.started + boot for child in self._children() if not child.is_ready]
            due += [
                row.next_start
                for row in self._wanted()
                if len(row.children) < self._options.workers
            ]
        return max(0.0, min(due) - time.monotonic()) + 0.01 if due else None

    def _start(self, row: Row) -> None:
        descriptor = None if self._socket is None else self._socket.fileno()
        shown = "{fd}" if descriptor is None else str(descriptor)
        # What systemd is told, the supervisor tells it.
        environ = {name: text for name, text in os.environ.items() if name != SYSTEMD}
        environ.setdefault(METRICS, str(self._folder / "metrics"))
        environ[NOTIFY] = str(self._folder / "notify")
        environ[DRAINING] = str(self._folder / "draining")
        environ[ROW] = str(row.number)
        if descriptor is not None:
            environ[DESCRIPTOR] = shown
        command = [word.replace("{fd}", shown) for word in self._options.command]
        try:
            child = Child(command, environ, descriptor)
        except OSError as exc:
            if not self._was_ready:
                raise
            logger.error("%s cannot be started: %s", command[0], exc)  # noqa: TRY400 - see main
            self._failed(row)
        else:
            row.children[child.pid] = child

    # -- what is told -----------------------------------------------------------------------------

    def _on_signals(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._awake.recv(4096):
                pass
        received, self._received = self._received, []
        for number in received:
            if number == signal.SIGHUP:
                self._reload()
            elif number != signal.SIGCHLD:
                self._drain(signal.Signals(number))
        self._reap()

    def _on_note(self) -> None:
        """Take in which row and which process is ready."""
        with contextlib.suppress(BlockingIOError):
            while True:
                number, _, pid = self._notes.recv(64).decode().partition(" ")
                for row in self._rows():
                    if str(row.number) == number and pid.isdigit():
                        row.note(int(pid), self._options.workers)
        self._settle()

    def _settle(self) -> None:
        """Go over to the next row when it is ready, and tell of the first."""
        if self._next is not None and self._next.is_ready(self._options.workers):
            logger.info("the new processes are ready; the old ones end")
            self._row.end(self._options.timeout)
            self._old.append(self._row)
            self._row, self._next = self._next, None
            self._tell_systemd("READY=1")
        if not self._was_ready and self._row.is_ready(self._options.workers):
            self._was_ready = True
            logger.info("ready")
            self._tell_systemd("READY=1")

    def _reload(self) -> None:
        if self._ends_at is not None:
            return
        logger.info("reload: new processes start beside the old ones")
        self._tell_systemd(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._give_up_next()
        self._count += 1
        self._next = Row(self._count)

    def _give_up_next(self) -> None:
        if self._next is not None:
            self._next.end(self._options.timeout)
            self._old.append(self._next)
            self._next = None

    def _drain(self, received: signal.Signals) -> None:
        """Turn readiness false; the second signal ends everything at once."""
        if self._ends_at is not None:
            logger.warning("%s again: everything ends at once", received.name)
            self._status = 128 + received
            self._end()
            self._kill_all()
            return
        logger.info("%s: not ready any more", received.name)
        self._tell_systemd("STOPPING=1")
        (self._folder / "draining").touch()
        self._ends_at = time.monotonic() + (self._options.grace if self._was_ready else 0.0)

    def _end(self) -> None:
        logger.info("no new requests; those in flight are answered")
        self._is_ending = True
        # Were it kept, clients would wait for an answer that nobody gives.
        self._stop_listening()
        for row in self._rows():
            row.end(self._options.timeout)

    def _reap(self) -> None:
        """Take in the processes that have ended; as the first process of a container, all."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                for row in self._rows():
                    child = row.children.pop(ended[0], None)
                    if child is not None:
                        status = os.waitstatus_to_exitcode(ended[1])
                        child.ended(status)
                        self._replace(row, child, status)

    def _replace(self, row: Row, child: Child, status: int) -> None:
        """Do what the end of a process asks for."""
        if row.is_ending or self._is_ending:
            return
        if not self._was_ready:
            logger.error("process %d ended with %d before it was ready", child.pid, status)
            self._status = status if 0 < status < 128 else 1
            self._end()
            return
        logger.warning("process %d ended with %d", child.pid, status)
        if not child.is_ready or time.monotonic() - child.started < _SETTLED:
            self._failed(row)
        else:
            row.failures, row.next_start = 0, 0.0

    def _failed(self, row: Row) -> None:
        """Wait before a row's next process, or stay with the old row."""
        if row is self._next:
            logger.error("the new processes failed; the old ones stay")
            self._give_up_next()
            self._tell_systemd("READY=1")
            return
        row.failures += 1
        row.next_start = time.monotonic() + min(_LONGEST_WAIT, 0.1 * 2**row.failures)

    @staticmethod
    def _tell_systemd(state: str) -> None:
        """Tell systemd how the service is, where it asks for that; see sd_notify(3)."""
        address = os.environ.get(SYSTEMD)
        if address:
            try:
                send_datagram(address, state)
            except OSError:
                logger.warning("systemd cannot be told %s", state.partition("=")[0])
