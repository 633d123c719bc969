"""Header fields and other multi-valued mappings of a request."""

from collections.abc import Iterable, Iterator, Mapping


class Headers(Mapping[str, str]):
    """Header fields by name; letter case does not count, repeats are joined by `, `.

    Args:
        pairs: names in lower case, and values, in the order they came.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = tuple(pairs)

    def __getitem__(self, name: str) -> str:
        found = self.getlist(name)
        if not found:
            raise KeyError(name)
        return ("; " if name.lower() == "cookie" else ", ").join(found)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self._pairs))

    def __len__(self) -> int:
        return len({key for key, _ in self._pairs})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.getlist(name))

    def __repr__(self) -> str:
        return f"Headers({list(self)!r})"

    def getlist(self, name: str) -> list[str]:
        """Return each value of the field, in order."""
        wanted = name.lower()
        return [value for key, value in self._pairs if key == wanted]

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return all fields in the order they came."""
        return self._pairs


class QueryValues(Mapping[str, str]):
    """Query fields by name: the last value of each, all of them through `getlist`.

    Args:
        values: each name's values in the order they came.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Values may be secrets, and representations end up in logs.
        return f"QueryValues({list(self._values)!r})"

    def getlist(self, name: str) -> list[str]:
        """Return each value of the field, in order; none when it was not sent."""
        return list(self._values.get(name, ()))
