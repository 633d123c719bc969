"""Fields of a schema whose source is not a column of the same name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic
from django.db.models.expressions import BaseExpression
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field's value comes from.

    Attributes:
        value: a path such as `author.username`, or an expression; None for the field's own name.
    """

    value: str | BaseExpression | None


def Field(  # noqa: N802 - public name
    source: str | BaseExpression | None = None,
    *,
    default: Any = PydanticUndefined,
    default_factory: Callable[[], Any] | None = None,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    **constraints: Any,
) -> Any:
    """Declare where a schema's field comes from and what it is called.

    Args:
        source: path of a column through relations (`author.username`, `tags.name`), or any Django
            expression; None takes the model's field of the same name.
        default: value of an instance made without one.
        default_factory: makes the default.
        alias: name in JSON, in and out.
        title: short name, for the API's description.
        description: what it means, for the API's description.
        **constraints: pydantic's `ge gt le lt min_length max_length pattern ...`.

    Raises:
        ConfigError: the source is neither a path nor an expression.
    """
    if (
        source is not None
        and not isinstance(source, str)
        and not hasattr(source, "resolve_expression")
    ):
        raise ConfigError(
            f"orm.Field({source!r}): expected a path such as 'author.username', or an expression"
        )
    options: dict[str, Any] = {"title": title, "description": description, "alias": alias}
    options = {name: value for name, value in options.items() if value is not None}
    if default_factory is not None:
        options["default_factory"] = default_factory
    elif default is not PydanticUndefined:
        options["default"] = default
    info: FieldInfo = pydantic.Field(**options, **constraints)
    info.metadata.append(Source(source))
    return info


def source_of(info: FieldInfo) -> Source:
    """Return the declared source of a field."""
    return next((item for item in info.metadata if isinstance(item, Source)), Source(None))
