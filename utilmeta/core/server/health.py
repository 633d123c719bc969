"""Whether a serving process lives, and whether it is ready: what `/healthz` and `/readyz` say."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from utilmeta.conf.health import Health
from utilmeta.core.request import RawRequest
from utilmeta.core.response import RawResponse
from utilmeta.core.response.encode import make_encoder
from utilmeta.core.server.contract import Hooks
from utilmeta.core.server.engine.hygiene import close_connections
from utilmeta.core.server.probe import Probe, tell

logger = logging.getLogger("utilmeta.health")

Check = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What checks have found.

    Attributes:
        checks: name of a check to `ok` or `failed`.
        at: when, by the monotonic clock.
    """

    checks: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether nothing has failed."""
        return "failed" not in self.checks.values()


class Checks:
    """Runs checks beside each other, each within its time, and keeps the outcome for a while.

    Args:
        checks: by name; each raises when what it looks at is not as it should be.
        timeout: seconds they may take together.
        interval: seconds an outcome is kept.
    """

    def __init__(self, checks: Mapping[str, Check], *, timeout: float, interval: float) -> None:
        self._checks = checks
        self._timeout = timeout
        self._interval = interval
        self._lock = threading.Lock()
        self._outcome: Outcome | None = None
        self._running: dict[str, Future[None]] = {}
        self._pool: ThreadPoolExecutor | None = None

    def known(self) -> Outcome | None:
        """Return the outcome that is still kept, None when there is none."""
        outcome = self._outcome
        if not self._checks:
            return Outcome()
        if outcome is not None and time.monotonic() < outcome.at + self._interval:
            return outcome
        return None

    def run(self) -> Outcome:
        """Return the outcome; those who ask meanwhile get the one of before.

        Only while there is none yet do they wait for the first one.
        """
        before = self._outcome
        if not self._lock.acquire(blocking=before is None):
            assert before is not None  # noqa: S101 - otherwise it was waited for
            return before
        try:
            found = self.known()
            if found is not None:
                return found
            if self._pool is None:
                size = len(self._checks)
                self._pool = ThreadPoolExecutor(size, thread_name_prefix="utilmeta-health")
            for name, check in self._checks.items():
                # One that hangs is not begun a second time; one that ended late tells of then.
                running = self._running.get(name)
                if running is None or running.done():
                    self._running[name] = self._pool.submit(_cared_for, check)
            wait(self._running.values(), self._timeout)
            self._outcome = Outcome(
                checks={name: self._judge(name) for name in self._checks}, at=time.monotonic()
            )
            return self._outcome
        finally:
            self._lock.release()

    def _judge(self, name: str) -> str:
        future = self._running[name]
        if not future.done():
            logger.warning("not ready: %s has not answered within %s s", name, self._timeout)
            return "failed"
        del self._running[name]
        error = future.exception()
        if error is not None:
            # Who asks is a stranger: names of hosts and users are for the log alone.
            logger.warning("not ready: %s: %s: %s", name, type(error).__name__, error)
        return "ok" if error is None else "failed"


def _cared_for(check: Check) -> None:
    try:
        check()
    finally:
        # A check is to see the database as it is now, not a connection of before.
        close_connections()


class Live(Probe):
    """Answers 200 as long as the process answers at all."""

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer."""
        return self.refusal(raw) or _answer(raw, 200, {"status": "alive"})

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""
        return self.handle(raw)


class Ready(Probe):
    """Answers 200 when requests may be sent to this process, else 503.

    Args:
        hooks: the service's.
        checks: what has to be in order.
    """

    def __init__(self, hooks: Hooks, checks: Checks) -> None:
        self._hooks = hooks
        self._checks = checks

    def handle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the start-up hooks have run before the first one."""
        refusal = self.refusal(raw)
        if refusal is not None:
            return refusal
        if not self._hooks.started:
            self._hooks.start()
        return self._tell(raw, Outcome() if self._hooks.is_draining else self._checks.run())

    async def ahandle(self, raw: RawRequest) -> RawResponse:
        """Return the answer; the async twin of `handle`."""
        refusal = self.refusal(raw)
        if refusal is not None:
            return refusal
        if not self._hooks.started:
            await self._hooks.astart()
        outcome = Outcome() if self._hooks.is_draining else self._checks.known()
        if outcome is None:
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(None, self._checks.run)
        return self._tell(raw, outcome)

    def _tell(self, raw: RawRequest, outcome: Outcome) -> RawResponse:
        if self._hooks.is_draining:
            return _answer(raw, 503, {"status": "ending"})
        is_good = outcome.is_good
        told = {"status": "ready" if is_good else "not ready", "checks": dict(outcome.checks)}
        return _answer(raw, 200 if is_good else 503, told)


_encode = make_encoder(None)


def _answer(raw: RawRequest, status: int, told: Mapping[str, Any]) -> RawResponse:
    return tell(raw, _encode(told), "application/json", status)


def database_checks(aliases: list[str]) -> dict[str, Check]:
    """Return a check for each database: whether it answers."""

    def make(alias: str) -> Check:
        def check() -> None:
            from django.db import connections

            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1")

        return check

    return {f"database {alias}": make(alias) for alias in aliases}


def cache_checks(aliases: list[str]) -> dict[str, Check]:
    """Return a check for each cache: whether it answers."""

    def make(alias: str) -> Check:
        def check() -> None:
            from django.core.cache import caches

            caches[alias].get("utilmeta.health")

        return check

    return {f"cache {alias}": make(alias) for alias in aliases}


def migrations_check(aliases: list[str]) -> Check:
    """Return a check whether all migrations are applied; once they are, it looks no more."""
    done = threading.Event()

    def check() -> None:
        from django.db import connections
        from django.db.migrations.executor import MigrationExecutor

        if done.is_set():
            return
        for alias in aliases:
            executor = MigrationExecutor(connections[alias])
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if plan:
                names = ", ".join(f"{item.app_label}.{item.name}" for item, _ in plan)
                raise RuntimeError(f"migrations of {alias!r} are not applied: {names}")
        done.set()

    return check


def make_checks(health: Health, *, databases: list[str], caches: list[str]) -> Checks:
    """Return what has to be in order for a service to be ready.

    Args:
        health: what is asked for.
        databases: aliases of the databases it uses, without copies of others.
        caches: aliases of the caches it uses.
    """
    checks: dict[str, Check] = {}
    if health.databases:
        checks |= database_checks(databases)
    if health.migrations and databases:
        checks["migrations"] = migrations_check(databases)
    if health.caches:
        checks |= cache_checks(caches)
    return Checks(checks, timeout=health.timeout, interval=health.interval)
