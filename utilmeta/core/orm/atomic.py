"""Endpoints in a transaction."""

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from asgiref.sync import sync_to_async
from django.db import transaction

from utilmeta.core.orm.write.violations import answered
from utilmeta.utils.exceptions import ConfigError

F = TypeVar("F", bound=Callable[..., Any])


class Atomic:
    """Run an endpoint in a transaction: `@orm.Atomic()` around it, sync or async.

    What the endpoint writes is kept when it returns, and undone when it raises. Hooks, and the
    encoding of the answer, are outside. Inside of another transaction it is a savepoint. In an
    async endpoint all statements of the request are in it, those of tasks it starts as well, as
    they share one connection.

    Args:
        alias: the database.
        durable: whether to refuse to be a part of another transaction.
        savepoint: whether an inner one can be undone alone.

    Raises:
        ConfigError: what is decorated is no method, or a generator, whose answer would be sent
            after the end of the transaction.
    """

    def __init__(
        self, alias: str = "default", *, durable: bool = False, savepoint: bool = True
    ) -> None:
        if callable(alias):
            raise ConfigError("@orm.Atomic needs parentheses: @orm.Atomic()")
        self._options: dict[str, Any] = {
            "using": alias,
            "durable": durable,
            "savepoint": savepoint,
        }
        self.alias = alias

    def __call__(self, function: F) -> F:
        """Return the function, in a transaction."""
        if not inspect.isfunction(function):
            raise ConfigError(f"@orm.Atomic() belongs on an endpoint, not on {function!r}")
        # Other decorators may be between.
        original = inspect.unwrap(function)
        if inspect.isgeneratorfunction(original) or inspect.isasyncgenfunction(original):
            raise ConfigError(
                f"{function.__qualname__}: @orm.Atomic() cannot be around a generator, which goes "
                "on after the endpoint's end; use transaction.atomic inside"
            )
        is_async = inspect.iscoroutinefunction(original)
        return cast("F", self._async(function) if is_async else self._sync(function))

    def _sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            # Some things are checked at the end, such as foreign keys.
            with answered(self.alias), transaction.atomic(**self._options):
                return function(*args, **kwargs)

        return run

    def _async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            block = _Block(transaction.atomic(**self._options))
            with answered(self.alias):
                await block.enter()
                try:
                    result = await function(*args, **kwargs)
                except BaseException as exc:
                    await block.leave(exc)
                    raise
                await block.leave(None)
            return result

        return run


class _Block:
    """A transaction that is entered and left on the request's thread, also when it is given up.

    Args:
        block: the transaction.
    """

    def __init__(self, block: Any) -> None:
        self._block = block
        self._guard = threading.Lock()
        self._is_entered = False
        self._given_up: BaseException | None = None

    async def enter(self) -> None:
        """Enter the transaction."""
        try:
            await sync_to_async(self._enter)()
        except asyncio.CancelledError as exc:
            # The thread goes on: it may wait for a lock, and get it when nobody asks any more.
            with self._guard:
                self._given_up = exc
                is_entered = self._is_entered
            if is_entered:
                await self.leave(exc)
            raise

    def _enter(self) -> None:
        self._block.__enter__()
        with self._guard:
            self._is_entered = True
            given_up = self._given_up
        if given_up is not None:
            self._leave(given_up)

    async def leave(self, error: BaseException | None) -> None:
        """Leave the transaction, even when the request is given up meanwhile."""
        await asyncio.shield(asyncio.ensure_future(sync_to_async(self._leave)(error)))

    def _leave(self, error: BaseException | None) -> None:
        details = (None, None, None) if error is None else (type(error), error, error.__traceback__)
        self._block.__exit__(*details)
