"""Fields that some may read or write and others may not, by a rule about the request."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from utilmeta.core.orm.fields import options_of
from utilmeta.core.orm.guards import permits
from utilmeta.core.orm.read.compile import as_schema
from utilmeta.core.orm.read.spots import complete, output_name
from utilmeta.core.orm.scopes import Scope
from utilmeta.core.request import Request
from utilmeta.core.request.current import current_request
from utilmeta.utils.annotations import element_of
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

AnySchema = type["Schema[Any]"]


@dataclass(frozen=True, slots=True)
class Guarded:
    """The fields of a schema that are not for everybody.

    Attributes:
        rules: name in answers and rule of each.
        nested: name in answers and guarded fields of what is nested.
    """

    rules: tuple[tuple[str, Any], ...]
    nested: "tuple[tuple[str, Guarded], ...]"

    def hidden(self, request: Request) -> Scope | None:
        """Return the fields that a request may not read; None when it may read all."""
        found: dict[str, Scope | None] = {
            name: None for name, rule in self.rules if not permits(rule, request)
        }
        for name, guarded in self.nested:
            inside = None if name in found else guarded.hidden(request)
            if inside is not None:
                found[name] = inside
        return Scope(tuple(found.items()), excluded=True) if found else None


def visible(schema: AnySchema, scope: Scope | None, given: Request | None) -> Scope | None:
    """Return which fields are read, of those that are wanted: none that the request may not.

    Args:
        schema: the schema.
        scope: which fields are wanted; None for all.
        given: whose request it is; None takes the one that is being answered, without which code
            reads for itself and may read all.
    """
    guarded = guarded_of(schema)
    request = given or current_request.get()
    if guarded is None or request is None:
        return scope
    hidden = guarded.hidden(request)
    return scope if hidden is None else without(schema, scope, hidden)


def guarded_of(schema: AnySchema) -> Guarded | None:
    """Return a schema's guarded fields, None without any; worked out once.

    Raises:
        ConfigError: a schema with such fields is nested in itself.
    """
    if "__utilmeta_guarded__" not in schema.__dict__:
        found = _find(schema, (schema,))
        schema.__utilmeta_guarded__ = found  # type: ignore[attr-defined]
    guarded: Guarded | None = schema.__dict__["__utilmeta_guarded__"]
    return guarded


def _find(schema: AnySchema, outer: tuple[AnySchema, ...]) -> Guarded | None:
    complete(schema)
    rules = []
    nested = []
    for name, info in schema.model_fields.items():
        output = output_name(name, info)
        rule = options_of(info).read
        if rule is not None:
            rules.append((output, rule))
        inner = as_schema(element_of(info.annotation)[0])
        if inner is None:
            continue
        if inner in outer:
            if any(_guards(item) for item in outer):
                raise ConfigError(
                    f"{schema.__name__}.{name}: {inner.__name__} is nested in itself, so none of "
                    "its fields can have orm.Field(read=...); nest a schema without them"
                )
            continue
        found = _find(inner, (*outer, inner))
        if found is not None:
            nested.append((output, found))
    return Guarded(tuple(rules), tuple(nested)) if rules or nested else None


def _guards(schema: AnySchema) -> bool:
    return any(options_of(info).read is not None for info in schema.model_fields.values())


def without(schema: AnySchema, scope: Scope | None, hidden: Scope) -> Scope:
    """Return a scope without fields that must not be read.

    Args:
        schema: what it is a scope of.
        scope: which fields are wanted; None for all.
        hidden: an excluding scope.
    """
    if scope is None:
        return hidden
    if scope.excluded:
        return _joined(scope, hidden)
    kept: dict[str, Scope | None] = {}
    for name, inside in scope.fields:
        names = _names(schema, name)
        forbidden = next((hidden.index[item] for item in names if item in hidden.index), hidden)
        if forbidden is hidden:
            kept[name] = inside
        elif forbidden is not None:
            kept[name] = without(_nested(schema, names), inside, forbidden)
    return Scope(tuple(kept.items()))


def _joined(one: Scope, other: Scope) -> Scope:
    fields = dict(one.fields)
    for name, inside in other.fields:
        known = fields.get(name, other)
        if known is other:
            fields[name] = inside
        elif known is not None:
            fields[name] = None if inside is None else _joined(known, inside)
    return Scope(tuple(fields.items()), excluded=True)


def _names(schema: AnySchema, name: str) -> tuple[str, ...]:
    """Return the names that a field of a schema goes by, one of which is given."""
    for field, info in schema.model_fields.items():
        output = output_name(field, info)
        if name in (field, output):
            return field, output
    return (name,)


def _nested(schema: AnySchema, names: tuple[str, ...]) -> AnySchema:
    info = schema.model_fields[names[0]]
    nested = as_schema(element_of(info.annotation)[0])
    assert nested is not None  # noqa: S101 - something inside of it is hidden
    return nested
