"""Entrances: requests answered before the framework looks at them, where it would change nothing.

A framework's routing, middleware and request objects cost several times what an endpoint does. An
entrance stands before them and answers what belongs to a handler itself, as long as it is provably
the same: as soon as the project adds a middleware, a hook, a signal receiver or a route of its own
that could see such a request, it goes the framework's way again.
"""

from collections.abc import Callable, Iterator
from typing import Any

Reason = str | None


class Watch:
    """Whether an entrance is open, judged anew whenever a fact that it depends on changes.

    Args:
        facts: returns what it depends on; cheap, as it is asked for each request.
        judge: returns why requests go the framework's way; None when they need not.
    """

    def __init__(self, facts: Callable[[], Any], judge: Callable[[], Reason]) -> None:
        self._facts = facts
        self._judge = judge
        self._known: Any = self
        self._reason: Reason = None

    def reason(self) -> Reason:
        """Return why requests go the framework's way; None when they need not."""
        facts = self._facts()
        if facts != self._known:
            self._reason = self._judge()
            self._known = facts
        return self._reason


class Routes:
    """Handlers by route, the longest route first."""

    def __init__(self) -> None:
        self._pairs: list[tuple[str, str, Any]] = []

    def __iter__(self) -> Iterator[str]:
        return (route for route, _, _ in self._pairs)

    def add(self, route: str, handler: Any) -> None:
        """Take in a handler."""
        self._pairs.append((route, f"{route}/", handler))
        self._pairs.sort(key=lambda pair: -len(pair[0]))

    def find(self, path: str) -> tuple[str, Any] | None:
        """Return route and handler of a path; None when there is none for it."""
        for route, below, handler in self._pairs:
            if path.startswith(below) or path == route or not route:
                return route, handler
        return None

    def probes(self) -> "Routes":
        """Return those that answer at one path alone: health and metrics."""
        found = Routes()
        for route, _, handler in self._pairs:
            if getattr(handler, "is_exact", False):
                found.add(route, handler)
        return found

    def crossed_by(self, literal: str) -> bool:
        """Return whether paths that begin with a text may be a handler's as well."""
        return any(
            literal.startswith(route) or route.startswith(literal) for route, _, _ in self._pairs
        )


def literal_of(pattern: str, opening: str) -> str:
    """Return what paths of a framework's pattern begin with: all before its first variable."""
    return pattern.partition(opening)[0]
