"""How flat text fields, of a query or a form, become the nested input of a validator."""

import json
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from utilmeta.utils.annotations import (
    SEQUENCES,
    member_names,
    strip_optional,
    text_values,
)
from utilmeta.utils.exceptions import BadRequest

Fields = Mapping[str, list[Any]]

# Names such as `a[b][c]` are taken apart no deeper than this.
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field's type looks like from outside.

    Attributes:
        kind: `text` (one value), `many`, `object` (known members) or `open` (any names).
        members: shapes of an object's members by input name.
        item: shape of what a `many` or `open` holds.
        values: what texts stand for, for enumerations of other values; None for all other types.
    """

    kind: str = "text"
    members: Mapping[str, "Shape"] = field(default_factory=dict)
    item: "Shape | None" = None
    values: Mapping[str, Any] | None = None

    @property
    def is_flat(self) -> bool:
        """Whether it is one text, or several, under a single name."""
        leaf = self.item if self.kind == "many" else self
        return leaf is not None and leaf.kind == "text"


TEXT = Shape()


def shape_of(annotation: Any, known: dict[Any, Shape] | None = None) -> Shape:
    """Return the shape of a type; a type that holds itself has a shape that does.

    Args:
        annotation: the type.
        known: shapes of the models above it.
    """
    seen = {} if known is None else known
    bare = strip_optional(annotation)
    origin = typing.get_origin(bare) or bare
    if origin in SEQUENCES:
        arguments = [item for item in typing.get_args(bare) if item is not ...]
        return Shape("many", item=shape_of(arguments[0], seen) if arguments else TEXT)
    if origin is dict or origin is Mapping:
        arguments = list(typing.get_args(bare))
        return Shape("open", item=shape_of(arguments[1], seen) if arguments else TEXT)
    members = member_names(bare)
    if members is None:
        values = text_values(bare)
        return TEXT if values is None else Shape(values=values)
    if bare not in seen:
        shapes: dict[str, Shape] = {}
        # Known before its members are looked at, as one of them may be of the same type.
        seen[bare] = Shape("object", shapes)
        shapes.update({name: shape_of(hint, seen) for name, hint in members.items()})
    return seen[bare]


class FieldReader:
    """Reads one place's fields into the input of its validator.

    Args:
        shapes: the wanted fields by name.
        decode: from a field's value to text; a query's values are still encoded.
        split: from a field's values to the items of a plain list.
        others: shape of fields that are not named; None leaves them out.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        *,
        decode: Callable[[Any], Any],
        split: Callable[[list[Any]], list[Any]],
        others: Shape | None = None,
    ) -> None:
        self._decode = decode
        self._split = split
        self._shapes = shapes
        self._flat = [
            (name, shape.kind == "many", (shape.item or shape).values)
            for name, shape in shapes.items()
            if shape.is_flat
        ]
        self._has_deep = any(not shape.is_flat for shape in shapes.values())
        self._has_lists = any(is_list for _, is_list, _ in self._flat)
        self._others = others

    def read(self, fields: Fields) -> dict[str, Any]:
        """Return the input: text, lists and dictionaries.

        Raises:
            BadRequest: a name is nested too deep, or a text is not UTF-8.
        """
        found: dict[str, Any] = {}
        for name, is_list, known in self._flat:
            values = fields.get(name)
            if values is not None:
                value = self._split(values) if is_list else self._decode(values[-1])
                found[name] = value if known is None else _named(value, known)
        if self._has_deep or self._others is not None or self._has_lists:
            self._read_deep(fields, found)
        return found

    def _read_deep(self, fields: Fields, found: dict[str, Any]) -> None:
        """Take in what is nested, and what is not named."""
        names = [name for name in fields if name not in found]
        if not self._has_deep and self._others is None:
            # Lists may be written `a[0]`, `a[]` or `a.0`.
            names = [name for name in names if "[" in name or "." in name]
        for name, node in _grow(fields, names).items():
            shape = self._shapes.get(name)
            if shape is None:
                shape = self._others
            elif shape.kind == "text":
                continue
            if shape is not None and name not in found:
                found[name] = self._convert(shape, node)

    def _convert(self, shape: Shape, node: Any) -> Any:
        if isinstance(node, list):
            return self._leaf(shape, node)
        if shape.kind == "many":
            item = shape.item or TEXT
            return [self._convert(item, node[key]) for key in sorted(node, key=_position)]
        if shape.kind == "object":
            return {key: self._convert(shape.members.get(key, TEXT), node[key]) for key in node}
        item = shape.item or TEXT
        return {key: self._convert(item, value) for key, value in node.items()}

    def _leaf(self, shape: Shape, values: list[Any]) -> Any:
        if shape.kind == "text":
            text = self._decode(values[-1])
            return text if shape.values is None else _named(text, shape.values)
        if shape.is_flat:
            known = shape.item.values if shape.item is not None else None
            texts = self._split(values)
            return texts if known is None else _named(texts, known)
        loaded = [load_json(self._decode(value)) for value in values]
        if shape.kind != "many":
            return loaded[-1]
        return loaded[0] if len(loaded) == 1 and isinstance(loaded[0], list) else loaded


def _named(found: Any, known: Mapping[str, Any]) -> Any:
    """Return the values that texts stand for; other texts as they are, to be refused."""
    if isinstance(found, list):
        return [_named(item, known) for item in found]
    return known.get(found, found) if isinstance(found, str) else found


def load_json(value: Any) -> Any:
    """Return what a text of JSON stands for; anything else as it is, for the validator to refuse.

    Raises:
        BadRequest: the JSON is nested too deep.
    """
    text = value
    if hasattr(value, "read") and str(getattr(value, "content_type", "")).endswith("json"):
        text = value.read().decode(errors="replace")
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(text)
    except RecursionError as exc:
        raise BadRequest("A field's JSON is nested too deep") from exc
    except ValueError:
        return value


def _position(key: str) -> tuple[int, str]:
    is_number = key.isascii() and key.isdigit() and len(key) < 10
    return (int(key), "") if is_number else (0, key)


def _grow(fields: Fields, names: Iterable[str]) -> dict[str, Any]:
    """Return a tree of names with lists of values at its ends."""
    tree: dict[str, Any] = {}
    for name in names:
        parts = _parts(name)
        if len(parts) > MAX_DEPTH:
            raise BadRequest(f"A field's name is nested deeper than {MAX_DEPTH} levels")
        node = tree
        for part in parts[:-1]:
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = below
        if not isinstance(node.get(parts[-1]), dict):
            node[parts[-1]] = fields[name]
    return tree


def _parts(name: str) -> list[str]:
    """Return the parts of `a.b`, `a[b]` and `a[0].b`; a malformed name is one part."""
    if "[" not in name:
        return name.split(".") if "." in name else [name]
    head, _, rest = name.partition("[")
    if not head or (not rest.endswith("]") and "]" not in rest):
        return [name]
    parts = head.split(".")
    for piece in rest.split("["):
        inside, closed, after = piece.partition("]")
        if not closed or (after and not after.startswith(".")):
            return [name]
        parts.append(inside)
        parts += after[1:].split(".") if after else []
    # `a[]` says no more than `a`.
    return [part for part in parts if part] or [name]
