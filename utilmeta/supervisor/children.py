"""Processes, and rows of them that serve together."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

logger = logging.getLogger("utilmeta.supervisor")

# prctl(2): the signal that a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


class Child:
    """One process, the leader of a session of its own; started when it is made.

    Args:
        command: its words.
        environ: its environment.
        descriptor: a socket that it inherits; None for none.

    Attributes:
        pid: its process id.
        started: when it was started, by the monotonic clock.
        is_ready: whether it has said so.
        deadline: when it is killed, once it was told to end.
    """

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], descriptor: int | None
    ) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - the command is the caller's
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=() if descriptor is None else (descriptor,),
            env=environ,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        )
        self.pid = self._process.pid
        self.started = time.monotonic()
        self.is_ready = False
        self.deadline: float | None = None
        logger.info("process %d started", self.pid)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it and what it has started in its session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Take in that it has ended, and end with it what it has left behind."""
        self._process.returncode = status
        self.kill()


class Row:
    """Processes that serve together: those of one reload.

    Args:
        number: how many rows came before it.

    Attributes:
        children: the processes by id.
        is_ending: whether they were told to end.
        failures: how many in a row have ended soon after their start.
        next_start: when the next one may be started, by the monotonic clock.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.children: dict[int, Child] = {}
        self.is_ending = False
        self.failures = 0
        self.next_start = 0.0

    def is_ready(self, size: int) -> bool:
        """Return whether so many processes are ready."""
        return sum(child.is_ready for child in self.children.values()) >= size

    def note(self, pid: int, size: int) -> None:
        """Take in that a process is ready, or one that it has started."""
        waiting = [child for child in self.children.values() if not child.is_ready]
        chosen = self.children.get(pid)
        if chosen is None and size == 1 and waiting:
            # The workers of a server's own master say so, as it cannot.
            chosen = waiting[0]
        if chosen is not None:
            chosen.is_ready = True
            self.failures = 0

    def end(self, timeout: float) -> None:
        """Tell all to end, and note when they are killed."""
        self.is_ending = True
        for child in self.children.values():
            if child.deadline is None:
                child.deadline = time.monotonic() + timeout
                child.tell(signal.SIGTERM)

    def kill_late(self, now: float) -> None:
        """Kill those that have not ended in time."""
        for child in self.children.values():
            if child.deadline is not None and now >= child.deadline:
                logger.warning("process %d has not ended in time and is killed", child.pid)
                child.kill()
                child.deadline = now + 1.0


def _die_with_parent() -> None:
    """Have the kernel end this process when the supervisor is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
