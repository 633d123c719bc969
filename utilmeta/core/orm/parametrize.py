"""Schemas made of schemas: of a model, in a mode."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model

from utilmeta.core.orm.modes import Mode
from utilmeta.core.orm.read.spots import complete
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.schema import Schema


def parametrized(schema: "type[Schema[Any]]", item: Any) -> Any:
    """Return the schema of a model, or in a mode; each is made once.

    Raises:
        ConfigError: it is neither, or the schema has another already.
    """
    if isinstance(item, TypeVar) or item is Any:
        return schema
    made: dict[Any, Any] = schema.__dict__.get("__utilmeta_made__", {})
    if item in made:
        return made[item]
    if isinstance(item, Mode):
        found = _in_mode(schema, item)
    elif isinstance(item, type) and issubclass(item, Model):
        found = _of_model(schema, item)
    else:
        raise ConfigError(
            f"{schema.__name__}[{item!r}]: expected a Django model, or one of orm.R, orm.A, orm.W "
            "and orm.WP"
        )
    schema.__utilmeta_made__ = {**made, item: found}  # type: ignore[attr-defined]
    return found


def _of_model(schema: "type[Schema[Any]]", model: type[Model]) -> Any:
    known = schema.__utilmeta_model__
    if known is not None and not issubclass(model, known):
        raise ConfigError(
            f"{schema.__name__}[{model.__name__}]: the schema is of {known.__name__} already"
        )
    return _make(schema, f"{schema.__name__}[{model.__name__}]", __utilmeta_model__=model)


def _in_mode(schema: "type[Schema[Any]]", mode: Mode) -> Any:
    if schema.__utilmeta_mode__ is not None:
        raise ConfigError(f"{schema.__name__}[{mode!r}]: the schema is in a mode already")
    # Names of schemas that are declared later must be known by now.
    complete(schema)
    return _make(schema, f"{schema.__name__}_{mode.name}", __utilmeta_mode__=mode)


def _make(schema: Any, name: str, **members: Any) -> Any:
    space = {"__module__": schema.__module__, "__doc__": schema.__doc__, **members}
    space["__qualname__"] = f"{schema.__qualname__}{name.removeprefix(schema.__name__)}"
    return type(schema)(name, (schema,), space)
