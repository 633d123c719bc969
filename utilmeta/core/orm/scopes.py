"""Which fields of a schema are wanted: `id,author(username)`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# Characters, names and levels that a scope may have.
_MAX_LENGTH = 2_000
_MAX_DEPTH = 8
_TOKEN = re.compile(r"[(),]|[^(),\s]+")


class ScopeError(ValueError):
    """A scope cannot be read, or names what is not there."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Fields that are wanted, or not wanted.

    Attributes:
        fields: names to the scope of what is nested in them; None for all of it.
        excluded: whether these are the fields that are left out.
    """

    fields: "tuple[tuple[str, Scope | None], ...]" = ()
    excluded: bool = False
    index: "Mapping[str, Scope | None]" = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Keep the names where they are found fast."""
        object.__setattr__(self, "index", dict(self.fields))

    def takes(self, *names: str) -> bool:
        """Return whether a field of one of these names is wanted."""
        found = next((name for name in names if name in self.index), None)
        if self.excluded:
            return found is None or self.index[found] is not None
        return found is not None

    def inside(self, *names: str) -> "Scope | None":
        """Return the scope of what is nested in a field; None for all of it."""
        return next((self.index[name] for name in names if name in self.index), None)


def parse_scope(texts: Iterable[str], *, excluded: bool = False) -> Scope:
    """Return the scope of texts such as `id,author(username)`.

    Raises:
        ScopeError: a text cannot be read.
    """
    text = ",".join(texts)
    if len(text) > _MAX_LENGTH:
        raise ScopeError(f"A scope should have at most {_MAX_LENGTH} characters")
    tokens = _TOKEN.findall(text)
    scope, rest = _read(tokens, 0, excluded)
    if rest != len(tokens):
        raise ScopeError("A parenthesis is closed that was not opened")
    return scope


def _read(tokens: list[str], start: int, excluded: bool, depth: int = 0) -> tuple[Scope, int]:
    if depth > _MAX_DEPTH:
        raise ScopeError(f"A scope should have at most {_MAX_DEPTH} levels")
    fields: dict[str, Scope | None] = {}
    last: str | None = None
    index = start
    while index < len(tokens) and tokens[index] != ")":
        part = tokens[index]
        index += 1
        if part == ",":
            last = None
        elif part == "(":
            if last is None:
                raise ScopeError("A parenthesis should follow a name")
            inner, index = _read(tokens, index, excluded, depth + 1)
            if index >= len(tokens):
                raise ScopeError("A parenthesis is not closed")
            index += 1
            # Empty parentheses stand for nothing less than the field itself.
            fields[last] = inner if inner.fields else None
            last = None
        elif last is not None:
            raise ScopeError("Names should be separated by commas")
        else:
            last = part
            fields.setdefault(part, None)
    return Scope(tuple(fields.items()), excluded), index
