"""Serializers as the source of schemas."""

import inspect
import re
import typing
from typing import Any

from rest_framework import fields, relations, serializers

from utilmeta.contrib.rest_framework.porting.columns import (
    column_at,
    is_many,
    may_be_null,
    type_of,
)
from utilmeta.contrib.rest_framework.porting.plain import plain_line
from utilmeta.contrib.rest_framework.porting.source import (
    Source,
    call,
    comment,
    docstring,
    literal,
    quoted,
    text_type,
)

_LIMITS = (("min_length", "min_length"), ("max_length", "max_length"))
_BOUNDS = (("min_value", "ge"), ("max_value", "le"))


class SchemaWriter:
    """Writes the schemas that serializers stand for, each once.

    Args:
        source: the module they are written into.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names: dict[tuple[type, tuple[str, ...]], str] = {}

    def write(self, serializer: Any) -> str:
        """Return the name of a serializer's schema, written if it has not been.

        Args:
            serializer: the class, or an instance that is a field of another.
        """
        made = serializer() if isinstance(serializer, type) else serializer
        key = (type(made), tuple(made.fields) if _is_generated(type(made)) else ())
        if key in self._names:
            return self._names[key]
        name = self._free_name(made)
        self._names[key] = name
        model = getattr(getattr(made, "Meta", None), "model", None)
        is_model = isinstance(made, serializers.ModelSerializer) and model is not None
        lines: list[str] = []
        for field_name, field in made.fields.items():
            found = (
                self._line(field_name, field, model) if is_model else self._plain(field_name, field)
            )
            lines += found
        self._source.add(name, [self._head(name, made, model if is_model else None), *lines])
        return name

    def _free_name(self, serializer: Any) -> str:
        cls = type(serializer)
        stem = cls.__name__.removesuffix("Serializer")
        if _is_generated(cls):
            stem = f"{serializer.Meta.model.__name__}Nested"
        name, number = f"{stem}Schema", 2
        while name in self._names.values():
            name = f"{stem}Schema{number}"
            number += 1
        return name

    def _head(self, name: str, serializer: Any, model: Any) -> str:
        if model is None:
            base = self._source.need("pydantic") + ".BaseModel"
        else:
            base = f"{self._source.need('utilmeta.core', 'orm')}.Schema"
            base += f"[{self._source.need_object(model)}]"
        text = inspect.cleandoc(type(serializer).__doc__ or "")
        if text.startswith(("A `ModelSerializer`", "The BaseSerializer")) or _is_generated(
            type(serializer)
        ):
            text = ""
        stem = type(serializer).__name__
        about = docstring(text or f"What {stem} read and wrote.")
        return "\n".join([f"class {name}({base}):", *about, ""])

    def _plain(self, name: str, field: Any) -> list[str]:
        if isinstance(field, serializers.BaseSerializer):
            many = isinstance(field, serializers.ListSerializer)
            nested = self.write(field.child if many else field)
            return plain_line(
                name, field, self._source, nested=f"list[{nested}]" if many else nested
            )
        return plain_line(name, field, self._source)

    def _line(self, name: str, field: Any, model: Any) -> list[str]:
        """Return the lines that declare a field of a model's schema."""
        path = field.source
        if isinstance(field, fields.HiddenField):
            return comment(f"{name}: a HiddenField, which is to be set in the endpoints by hand.")
        if isinstance(field, fields.SerializerMethodField):
            return comment(
                f"{name}: {type(field.parent).__name__}.{field.method_name} is to be moved by "
                "hand, as an expression, a function or a property of the model."
            )
        if isinstance(
            field, relations.StringRelatedField | relations.HyperlinkedRelatedField
        ) or isinstance(getattr(field, "child_relation", None), relations.HyperlinkedRelatedField):
            return comment(
                f"{name}: a {type(field).__name__} has no twin; name what is to be shown."
            )
        if isinstance(field, serializers.BaseSerializer):
            return self._nested(name, field, model)
        if isinstance(field, relations.ManyRelatedField):
            return self._many(name, field, model)
        if isinstance(field, relations.SlugRelatedField):
            return self._by_slug(name, path, field.slug_field, field, model)
        return self._column(name, path, field, model)

    def _column(self, name: str, path: str, field: Any, model: Any) -> list[str]:
        column = column_at(model, path)
        if column is None:
            return self._property(name, path, model)
        kind = type_of(column, self._source)
        if kind == "str" and isinstance(field, fields.CharField) and not field.read_only:
            kind = text_type(field, self._source)
        if may_be_null(model, path):
            kind += " | None"
        options = []
        if path != name:
            options.append(quoted(path))
        is_path = "." in path
        if not is_path and field.read_only and not _is_made_by_database(column):
            options.append('mode="r"')
        if not field.read_only:
            options += self._options(name, field, column)
        return [_declared(name, kind, options)]

    def _options(self, name: str, field: Any, column: Any) -> list[str]:
        """Return what a field says that its column does not."""
        options = []
        if field.write_only:
            options.append("no_output=True")
        has_default = column.has_default() or column.null
        if field.required and has_default:
            options.append("required=True")
        elif not field.required and not has_default:
            options.append("required=False")
        if name in field.parent._declared_fields or name in _extra(field.parent):  # noqa: SLF001
            is_text = isinstance(field, fields.CharField)
            for attribute, option in _LIMITS if is_text else _BOUNDS:
                limit = getattr(field, attribute, None)
                if isinstance(limit, int | float) and getattr(column, attribute, None) != limit:
                    options.append(f"{option}={literal(limit)}")
        return options

    def _property(self, name: str, path: str, model: Any) -> list[str]:
        found = inspect.getattr_static(model, path, None)
        if not isinstance(found, property) or path != name:
            return comment(f"{name}: what {path!r} of {model.__name__} is, is to be moved by hand.")
        needs = ", ".join(map(quoted, _relations_in(found.fget, model)))
        return [_declared(name, self._hint(found.fget), [f"needs=[{needs}]"] if needs else [])]

    def _hint(self, function: Any) -> str:
        """Return the type that a property says it returns, where it is a plain one."""
        try:
            hint = typing.get_type_hints(function).get("return")
        except (NameError, TypeError):
            hint = None
        members = typing.get_args(hint) or (hint,)
        names = []
        for member in members:
            if member is type(None):
                names.append("None")
            elif member in {str, int, float, bool, bytes}:
                names.append(member.__name__)
            else:
                return self._source.need("typing", "Any")
        return " | ".join(names)

    def _many(self, name: str, field: Any, model: Any) -> list[str]:
        child, path = field.child_relation, field.source
        column = column_at(model, path)
        if column is None:
            return self._property(name, path, model)
        if isinstance(child, relations.SlugRelatedField):
            return self._by_slug(name, path, child.slug_field, field, model)
        if isinstance(child, relations.StringRelatedField):
            return comment(
                f"{name}: a {type(child).__name__} has no twin; name what is to be shown."
            )
        kind = f"list[{type_of(column.related_model._meta.pk, self._source)}]"  # noqa: SLF001
        options = [quoted(path)] if path != name else []
        if field.read_only:
            options.append('mode="r"')
        elif not field.required:
            options.append("required=False")
        elif not field.allow_empty:
            options.append("min_length=1")
        return [_declared(name, kind, options)]

    def _by_slug(self, name: str, path: str, slug: str, field: Any, model: Any) -> list[str]:
        whole = f"{path}.{slug}"
        column = column_at(model, whole)
        if column is None:
            return self._property(name, whole, model)
        kind = type_of(column, self._source)
        if is_many(model, path):
            kind = f"list[{kind}]"
        elif may_be_null(model, whole):
            kind += " | None"
        lines = []
        if not field.read_only:
            lines = comment(f"{name} was also written by its {slug}, which is to be moved by hand.")
        return [*lines, _declared(name, kind, [quoted(whole)])]

    def _nested(self, name: str, field: Any, model: Any) -> list[str]:
        many = isinstance(field, serializers.ListSerializer)
        inner = field.child if many else field
        path = field.source
        if column_at(model, path) is None or not isinstance(inner, serializers.ModelSerializer):
            return comment(f"{name}: {type(inner).__name__} over {path!r} is to be moved by hand.")
        kind = self.write(inner)
        if many:
            kind = f"list[{kind}]"
        elif may_be_null(model, path):
            kind += " | None"
        lines = []
        options = [quoted(path)] if path != name else []
        if not field.read_only:
            options.append('mode="r"')
            lines = comment(
                f"{name} was also written, by {type(field.parent).__name__}.create; say "
                'on_write= in place of mode="r" for that.'
            )
        return [*lines, _declared(name, kind, options)]


def _declared(name: str, kind: str, options: list[str]) -> str:
    if not options:
        return f"    {name}: {kind}"
    return call(f"{name}: {kind} = orm.Field", options)


def _relations_in(function: Any, model: Any) -> list[str]:
    """Return the relations of a model that the source of a property names."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        return []
    names = dict.fromkeys(re.findall(r"\bself\.(\w+)", text))
    columns = [(name, column_at(model, name)) for name in names]
    return [name for name, column in columns if column is not None and column.is_relation]


def _is_generated(cls: type) -> bool:
    return "<locals>.NestedSerializer" in cls.__qualname__


def _is_made_by_database(column: Any) -> bool:
    """Return whether a column is for reading anyway: made by the database, or not editable."""
    is_stamp = getattr(column, "auto_now", False) or getattr(column, "auto_now_add", False)
    return is_stamp or not column.editable or column.get_internal_type().endswith("AutoField")


def _extra(serializer: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(serializer.Meta, "extra_kwargs", {})
    return found
