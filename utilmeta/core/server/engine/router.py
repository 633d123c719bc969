"""Which operation answers: a dictionary of fixed paths, then a tree of segments."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from utilmeta.core.api.operation import Operation
from utilmeta.core.api.template import Segment, Template
from utilmeta.utils.exceptions import MethodNotAllowed, NotFound, UpgradeRequired

Matcher = Callable[[str], tuple[str, ...] | None]

_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Target:
    """The operations of one path, by method.

    Args:
        template: the path, as the first of them wrote it.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.operations: dict[str, Operation] = {}

    def add(self, operation: Operation) -> None:
        """Take in an operation; GET answers HEAD too."""
        self.operations[operation.method] = operation
        if operation.method == "GET":
            self.operations.setdefault("HEAD", operation)

    def plugins(self, method: str) -> Sequence[Any]:
        """Return the plugins around the operation for a method, else around any of them."""
        found = self.operations.get(method) or next(iter(self.operations.values()))
        return found.plugins

    def allow(self) -> list[str]:
        """Return the methods that exist, for the `Allow` header."""
        return [method for method in _ORDER if method in self.operations or method == "OPTIONS"]

    def find(self, method: str) -> Operation:
        """Return the operation for a method.

        Raises:
            MethodNotAllowed: there is none.
        """
        try:
            return self.operations[method]
        except KeyError:
            if method == "GET" and "WS" in self.operations:
                raise UpgradeRequired(headers={"Upgrade": "websocket"}) from None
            raise MethodNotAllowed(allow=self.allow()) from None


@dataclass(slots=True)
class Node:
    """One level of the tree.

    Attributes:
        fixed: children by text.
        mixed: children by pattern, in order of registration.
        variable: the child for any one segment.
        rest: the target for everything that follows.
        target: the target when the path ends here.
    """

    fixed: dict[str, "Node"] = field(default_factory=dict)
    mixed: list[tuple[Matcher, "Node"]] = field(default_factory=list)
    variable: "Node | None" = None
    rest: Target | None = None
    target: Target | None = None


class Router:
    """Finds the target of a path; fixed segments win over mixed, variable and rest ones.

    Args:
        operations: every operation of the service.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._static: dict[str, Target] = {}
        self._root = Node()
        self._patterns: dict[tuple[int, tuple[str, str]], Node] = {}
        self.targets: list[Target] = []
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        template = operation.template
        if all(segment.kind == "fixed" for segment in template.segments):
            path = "/".join(segment.text for segment in template.segments)
            target = self._static.get(path)
            if target is None:
                target = self._static[path] = self._new(template)
                self._descend(template.segments).target = target
        else:
            target = self._dynamic(template)
        target.add(operation)

    def _new(self, template: Template) -> Target:
        target = Target(template)
        self.targets.append(target)
        return target

    def _dynamic(self, template: Template) -> Target:
        last = template.segments[-1]
        if last.kind == "rest":
            node = self._descend(template.segments[:-1])
            if node.rest is None:
                node.rest = self._new(template)
            return node.rest
        node = self._descend(template.segments)
        if node.target is None:
            node.target = self._new(template)
        return node.target

    def _descend(self, segments: Sequence[Segment]) -> Node:
        node = self._root
        for segment in segments:
            node = self._child(node, segment)
        return node

    def _child(self, node: Node, segment: Segment) -> Node:
        if segment.kind == "fixed":
            return node.fixed.setdefault(segment.text, Node())
        if segment.kind == "variable":
            if node.variable is None:
                node.variable = Node()
            return node.variable
        key = (id(node), segment.shape())
        if key not in self._patterns:
            self._patterns[key] = Node()
            node.mixed.append((segment.matcher(), self._patterns[key]))
        return self._patterns[key]

    def resolve(self, path: str, segments: tuple[str, ...] | None) -> tuple[Target, Sequence[str]]:
        """Return the target of a path and the texts of its variables, in order.

        Args:
            path: decoded, `''` or starting with `/`; one trailing slash does not count.
            segments: its parts, when one of them holds a slash.

        Raises:
            NotFound: nothing answers there.
        """
        bare = path[1:-1] if len(path) > 1 and path[-1] == "/" else path[1:]
        if segments is None:
            target = self._static.get(bare)
            if target is not None:
                return target, ()
            parts: Sequence[str] = bare.split("/") if bare else ()
        else:
            parts = segments[:-1] if len(segments) > 1 and not segments[-1] else segments
        found = _match(self._root, parts, 0, ())
        if found is None:
            raise NotFound
        return found


def _match(
    node: Node, parts: Sequence[str], index: int, values: tuple[str, ...]
) -> tuple[Target, Sequence[str]] | None:
    if index == len(parts):
        return None if node.target is None else (node.target, values)
    part = parts[index]
    child = node.fixed.get(part)
    found = None if child is None else _match(child, parts, index + 1, values)
    if found is None and part:
        found = _match_variable(node, parts, index, values)
    if found is None and node.rest is not None and any(parts[index:]):
        return node.rest, (*values, "/".join(parts[index:]))
    return found


def _match_variable(
    node: Node, parts: Sequence[str], index: int, values: tuple[str, ...]
) -> tuple[Target, Sequence[str]] | None:
    """Return what is below the patterns and the variable that a segment, not empty, fits."""
    part = parts[index]
    for match, branch in node.mixed:
        matched = match(part)
        if matched is not None:
            found = _match(branch, parts, index + 1, (*values, *matched))
            if found is not None:
                return found
    if node.variable is None:
        return None
    return _match(node.variable, parts, index + 1, (*values, part))
