"""What each kind of store can do.

A method of a store does nothing yet: it returns a piece of work, which is then done by `run()`, or
on an event loop by `await arun()`. So sync and async calls are the same work.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
# Seconds an entry lives; None for ever, 0 or less not at all.
Seconds = float | None


class When(Enum):
    """Under which condition a value is kept."""

    ALWAYS = "always"
    EXISTS = "exists"
    NOT_EXISTS = "not exists"


class Work(ABC, Generic[T_co]):
    """Something to do in a store."""

    @abstractmethod
    def run(self) -> T_co:
        """Do it and return what it gives."""

    @abstractmethod
    async def arun(self) -> T_co:
        """Do it and return what it gives; the async twin of `run`."""


class Store(ABC):
    """One store of entries; safe for threads and event loops.

    Attributes:
        default_timeout: seconds an entry lives when nothing else is said.
    """

    default_timeout: Seconds

    @abstractmethod
    def failed(self, exc: BaseException) -> bool:
        """Whether an exception says that the store does not work, rather than the caller."""

    @abstractmethod
    def get(self, key: str, default: Any) -> Work[Any]:
        """Work that returns a value, or the default where there is none."""

    @abstractmethod
    def fetch(self, keys: Sequence[str]) -> Work[dict[str, Any]]:
        """Work that returns those values that are there, by key."""

    @abstractmethod
    def set(self, key: str, value: Any, timeout: Seconds, when: When) -> Work[bool]:
        """Work that keeps a value, and returns whether the condition was met."""

    @abstractmethod
    def update(self, values: Mapping[str, Any], timeout: Seconds) -> Work[bool]:
        """Work that keeps several values, and returns whether all are kept."""

    @abstractmethod
    def pop(self, key: str, default: Any) -> Work[Any]:
        """Work that takes a value out, so that no one else gets it."""

    @abstractmethod
    def delete(self, keys: Sequence[str]) -> Work[int]:
        """Work that forgets entries, and returns how many were there."""

    @abstractmethod
    def exists(self, keys: Sequence[str]) -> Work[int]:
        """Work that returns how many of the keys are there."""

    @abstractmethod
    def expire(self, key: str, timeout: Seconds) -> Work[bool]:
        """Work that lets an entry live that long from now, and returns whether it is there."""

    @abstractmethod
    def alter(self, key: str, delta: int, limit: int | None, timeout: Seconds) -> Work[int | None]:
        """Work that adds to a number at once; one that is missing begins at 0 and lives that long.

        It returns the new number, or None when that would be beyond the limit; then nothing is
        changed.

        Raises:
            ValueError: by the work: the value is no integer, or would be longer than 64 bits.
            ConfigError: the store cannot count so that no count is lost.
        """

    @abstractmethod
    def take(self, key: str, token: str, timeout: Seconds) -> Work[bool]:
        """Work that keeps a token where there is none, and returns whether it does.

        Raises:
            ConfigError: the store cannot do it so that only one succeeds.
        """

    @abstractmethod
    def give_back(self, key: str, token: str) -> Work[bool]:
        """Work that forgets a token, and returns whether it was this one that was there.

        Raises:
            ConfigError: the store cannot do it without forgetting another's.
        """

    @abstractmethod
    def close(self) -> None:
        """Give connections of threads back; they are made anew when they are needed."""

    @abstractmethod
    async def aclose(self) -> None:
        """Give the connections of the running event loop back."""
