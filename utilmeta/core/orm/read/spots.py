"""Where a plan is being compiled: the statement, the schema above, the field at hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Model
from pydantic import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo

from utilmeta.core.orm.fields import Options
from utilmeta.core.orm.read.plan import Related
from utilmeta.core.orm.read.selection import Selection
from utilmeta.core.orm.scopes import Scope
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema

AnySchema = type["Schema[Any]"]


@dataclass(slots=True)
class Loops:
    """The schemas of a plan that nest themselves.

    Attributes:
        schemas: those schemas.
        related: what reads their rows again, by schema and relation.
    """

    schemas: set[AnySchema]
    related: dict[tuple[AnySchema, Any, int], Related] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where in a statement a schema's columns are put.

    Attributes:
        model: whose columns.
        prefix: ORM path to it, `''` or `author__`.
        selection: the statement's columns.
        outer: the schemas above this one, to find those that nest themselves.
        loops: those that do.
        scope: which fields are wanted; None for all.
        nullable: whether a relation on the way may lead nowhere.
    """

    model: type[Model]
    prefix: str
    selection: Selection
    outer: tuple[AnySchema, ...]
    loops: Loops
    scope: Scope | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A schema's field that is being compiled.

    Attributes:
        where: its name, for messages.
        name: its name in the schema.
        output: its name in records.
        annotation: its type.
        options: what `orm.Field` says of it.
        nested: the schema that its type is, or is a list of.
        element: its type, without list and None.
        many: whether its type is a list.
    """

    where: str
    name: str
    output: str
    annotation: Any
    options: Options
    nested: AnySchema | None
    element: Any
    many: bool


def complete(schema: AnySchema) -> None:
    """Resolve the names of schemas that were declared later, in this module or in another one.

    Raises:
        ConfigError: there is none of such a name, or several.
    """
    if schema.__pydantic_complete__:
        return
    names: dict[str, Any] = {}
    while True:
        try:
            schema.model_rebuild(_types_namespace=names or None)
        except PydanticUndefinedAnnotation as exc:
            name = str(exc.name)
            if name in names:
                raise ConfigError(f"{schema.__name__}: {name!r} cannot be resolved") from exc
            names[name] = _schema_named(name, schema)
        else:
            return


def _schema_named(name: str, schema: AnySchema) -> AnySchema:
    """Return the schema of a name; that of the nearest package where several have it."""
    root = next(item for item in reversed(schema.__mro__) if "__utilmeta_schema__" in vars(item))
    found = [item for item in _below(root) if item.__name__ == name]
    package = schema.__module__.partition(".")[0]
    near = [item for item in found if item.__module__.partition(".")[0] == package] or found
    if len(near) != 1:
        what = "no schema" if not near else f"{len(near)} schemas"
        raise ConfigError(
            f"{schema.__name__}: there is {what} of the name {name!r}; import it, or call "
            f"{schema.__name__}.model_rebuild(_types_namespace={{{name!r}: ...}})"
        )
    return near[0]


def _below(schema: AnySchema) -> Iterator[AnySchema]:
    for item in schema.__subclasses__():
        yield item
        yield from _below(item)


def output_name(name: str, info: FieldInfo) -> str:
    """Return the name of a field in answers."""
    return info.serialization_alias or info.alias or name
