"""Path templates such as `articles/{slug}/comments/{id}`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from utilmeta.utils.exceptions import ConfigError

_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path.

    Attributes:
        kind: `fixed`, `variable` (a whole segment), `mixed` (text and variables) or `rest`
            (everything that follows, slashes included).
        text: the fixed text, or the source as it was written.
        names: its variables, in order.
    """

    kind: str
    text: str
    names: tuple[str, ...] = ()

    def matcher(self) -> Callable[[str], tuple[str, ...] | None]:
        """Return what takes a mixed segment's text apart: a value for each variable, or None."""
        return partial(_take_apart, tuple(_VARIABLE.split(self.text)[::2]))

    def shape(self) -> tuple[str, str]:
        """Return what two segments have in common when they match the same paths."""
        return self.kind, _VARIABLE.sub("{}", self.text) if self.kind in {"fixed", "mixed"} else ""


def _take_apart(fixed: tuple[str, ...], text: str) -> tuple[str, ...] | None:
    """Return what stands between fixed texts, each as short as can be; None when they do not fit.

    It goes once from left to right: the first place where a fixed text stands leaves the most for
    what follows, so no other can do better.
    """
    first, *between, last = fixed
    if not (text.startswith(first) and text.endswith(last)):
        return None
    end = len(text) - len(last)
    start = len(first)
    values = []
    for piece in between:
        found = text.find(piece, start + 1, end)
        if found < 0:
            return None
        values.append(text[start:found])
        start = found + len(piece)
    return (*values, text[start:end]) if start < end else None


@dataclass(frozen=True, slots=True)
class Template:
    """A path template, taken apart.

    Attributes:
        segments: its parts, none for the root.
    """

    segments: tuple[Segment, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its variables, in order."""
        return tuple(name for segment in self.segments for name in segment.names)

    def __str__(self) -> str:
        return "/" + "/".join(segment.text for segment in self.segments)

    def __add__(self, other: "Template") -> "Template":
        return Template(self.segments + other.segments)

    def shape(self) -> tuple[tuple[str, str], ...]:
        """Return what two templates have in common when they match the same paths."""
        return tuple(segment.shape() for segment in self.segments)


def parse_template(text: str, *, where: str, rest: frozenset[str] = frozenset()) -> Template:
    """Return a template, taken apart.

    Args:
        text: with or without slashes at its ends; `''` and `/` are the root.
        where: the declaration, for messages.
        rest: variables that take everything that follows.

    Raises:
        ConfigError: braces do not match, a name is no identifier, comes twice, stands beside
            another one, or a rest variable is not the last segment.
    """
    stripped = text.strip("/")
    if "//" in stripped or any(char in stripped for char in "?#"):
        raise ConfigError(f"{where}: {text!r} is no path: it holds '//', '?' or '#'")
    segments = [_segment(part, where, rest) for part in stripped.split("/") if part]
    template = Template(tuple(segments))
    check_template(template, where)
    return template


def check_template(template: Template, where: str) -> None:
    """Raise ConfigError when a variable comes twice, or anything follows a rest variable."""
    if any(segment.kind == "rest" for segment in template.segments[:-1]):
        raise ConfigError(f"{where}: {str(template)!r}: a FilePathParam must be the last segment")
    names = template.names
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: {str(template)!r} names {name!r} twice; rename one")


def _segment(part: str, where: str, rest: frozenset[str]) -> Segment:
    pieces = _VARIABLE.split(part)
    fixed, names = pieces[::2], tuple(pieces[1::2])
    if part in {".", ".."} or any("%" in piece for piece in fixed):
        raise ConfigError(
            f"{where}: {part!r} never comes in a path as it is seen here: dots are resolved by "
            "clients, and '%' is decoded; write the text itself"
        )
    if any("{" in piece or "}" in piece for piece in fixed):
        raise ConfigError(f"{where}: {part!r}: the braces do not match")
    for name in names:
        if not name.isidentifier():
            raise ConfigError(f"{where}: {part!r}: {name!r} is no name; expected an identifier")
    if not names:
        return Segment("fixed", part)
    if part == f"{{{names[0]}}}":
        return Segment("rest" if names[0] in rest else "variable", part, names)
    if any(not piece for piece in fixed[1:-1]):
        raise ConfigError(
            f"{where}: {part!r}: two parameters side by side cannot be told apart; "
            "put a slash or another text between them"
        )
    if any(name in rest for name in names):
        raise ConfigError(f"{where}: {part!r}: a FilePathParam must be a segment of its own")
    return Segment("mixed", part, names)
