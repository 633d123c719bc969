"""A session, as endpoints see it: a mapping, with typed members in a subclass."""

import typing
from collections.abc import Iterator, MutableMapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

import pydantic
from asgiref.sync import sync_to_async

from utilmeta.core.request.params import Param
from utilmeta.utils.annotations import declared_hints

_ABSENT: Any = object()


class Session(MutableMapping[str, Any]):
    """A session: what is set is saved with the answer, for this client alone.

    A subclass of `config.schema` may name members with their types, which are then attributes:
    `class Visit(sessions.schema): count: int = 0`. What is set must fit, and become JSON.

    Args:
        store: Django's session, which keeps it.
        is_native: whether the framework saves it.
    """

    __utilmeta_plugin__: ClassVar[Any] = None

    @classmethod
    def __utilmeta_param__(cls) -> Param | None:
        """Return the declaration that an argument of this type stands for."""
        plugin = cls.__utilmeta_plugin__
        return None if plugin is None else plugin.variable_of(cls).as_param()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the annotated members attributes that the session keeps."""
        super().__init_subclass__(**kwargs)
        for name in vars(cls).get("__annotations__", {}):
            if not name.startswith("_"):
                setattr(cls, name, _Member(cls, name, vars(cls).get(name, _ABSENT)))

    def __init__(self, store: Any, *, is_native: bool = False) -> None:
        self.store = store
        self.is_native = is_native

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __getitem__(self, name: str) -> Any:
        return self.store[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.store[name] = value

    def __delitem__(self, name: str) -> None:
        del self.store[name]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.store.keys()))

    def __len__(self) -> int:
        return len(self.store.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.store

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same session."""
        return isinstance(other, Session) and other.store is self.store

    @property
    def session_key(self) -> str | None:
        """Its key, None before it was saved."""
        key: str | None = self.store.session_key
        return key

    @property
    def modified(self) -> bool:
        """Whether it is saved with the answer; set it after changing a value in place."""
        return bool(self.store.modified)

    @modified.setter
    def modified(self, value: bool) -> None:
        """Say whether it is saved with the answer."""
        self.store.modified = value

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it, and it has never been saved."""
        return bool(self.store.is_empty())

    @property
    def expiry_age(self) -> int:
        """Seconds it lasts from its next saving on."""
        return int(self.store.get_expiry_age())

    @property
    def expiry_date(self) -> datetime:
        """When it ends, saved now."""
        date: datetime = self.store.get_expiry_date()
        return date

    @property
    def expires_at_browser_close(self) -> bool:
        """Whether its cookie goes when the browser is closed."""
        return bool(self.store.get_expire_at_browser_close())

    @property
    def gone(self) -> type[Exception]:
        """What saving raises when it was ended meanwhile."""
        from django.contrib.sessions.backends.base import UpdateError

        return UpdateError

    def set_expiry(self, value: Any) -> None:
        """Say how long it lasts: seconds, a time, a date, 0 (until the browser closes), or None."""
        self.store.set_expiry(value)

    def load(self) -> None:
        """Read it from where it is kept, once."""
        self.store.keys()

    def flush(self) -> None:
        """End it on the server: nothing is left in it, and its key is worth nothing."""
        self.store.flush()

    def cycle_key(self) -> None:
        """Give it a new key; the old one is worth nothing."""
        self.store.cycle_key()

    def save(self) -> None:
        """Save it now; what an endpoint changes is saved with its answer."""
        self.store.save()
        self.store.modified = False

    async def aflush(self) -> None:
        """End it on the server; the async twin of `flush`."""
        await sync_to_async(self.flush)()

    async def acycle_key(self) -> None:
        """Give it a new key; the async twin of `cycle_key`."""
        await sync_to_async(self.cycle_key)()

    async def asave(self) -> None:
        """Save it now; the async twin of `save`."""
        await sync_to_async(self.save)()

    def viewed_as(self, kind: "type[Session]") -> "Session":
        """Return the same session with the typed members of a subclass."""
        return self if type(self) is kind else kind(self.store, is_native=self.is_native)


class _Member:
    """A typed member of a session.

    Args:
        owner: the class that declares it.
        name: its name among the session's values.
        default: its value when there is none; `_ABSENT` for an error then.
    """

    def __init__(self, owner: type, name: str, default: Any) -> None:
        self._owner = owner
        self._name = name
        self._default = default

    @cached_property
    def _adapter(self) -> pydantic.TypeAdapter[Any]:
        return pydantic.TypeAdapter(typing.cast("Any", self._hint))

    @property
    def _hint(self) -> Any:
        return declared_hints(self._owner)[self._name]

    def __get__(self, instance: Session | None, owner: type) -> Any:
        if instance is None:
            return self
        found = instance.get(self._name, _ABSENT)
        if found is not _ABSENT:
            return self._adapter.validate_python(found)
        if self._default is _ABSENT:
            raise AttributeError(f"{owner.__name__}: the session has no {self._name!r}")
        return self._default

    def __set__(self, instance: Session, value: Any) -> None:
        valid = self._adapter.validate_python(value)
        instance[self._name] = self._adapter.dump_python(valid, mode="json")

    def __delete__(self, instance: Session) -> None:
        instance.pop(self._name, None)
