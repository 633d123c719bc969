"""JSON Schemas of types, each described once and shared by reference."""

import contextlib
import enum
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pydantic
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from utilmeta.core.api.foreign import adapted
from utilmeta.utils.exceptions import ConfigError

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"

# What pydantic appends to tell apart two types of one module and name.
_COUNTED = re.compile(r"__\d+$")


class Generator(GenerateJsonSchema):
    """pydantic's schemas, in the forms that our encoder writes."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Return base64 text for answers."""
        if self.mode == "serialization":
            return {"type": "string", "contentEncoding": "base64"}
        return super().bytes_schema(schema)

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        """Return text: a time without an offset is none of JSON Schema's times."""
        if self.mode == "serialization":
            return {"type": "string"}
        return super().time_schema(schema)

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Return the values, and the members' names beside them."""
        found = super().enum_schema(schema)
        if "enum" in found:
            found["x-enum-varnames"] = [member.name for member in _members(schema["members"])]
        return found


def _members(members: list[Any]) -> list[enum.Enum]:
    return list(members)


class SchemaBook:
    """Schemas of all types of a document.

    A schema that is asked for is empty until `fill` describes all of them at once, so that equal
    types share one description and different types of one name get longer names.
    """

    def __init__(self) -> None:
        self._adapters: list[tuple[int, JsonSchemaMode, pydantic.TypeAdapter[Any]]] = []
        self._schemas: dict[tuple[int, str], Schema] = {}
        self._known: dict[tuple[Any, str], Schema] = {}
        self._later: list[Callable[[], None]] = []
        self.definitions: dict[str, Schema] = {}

    def schema(self, annotation: Any, mode: Literal["validation", "serialization"]) -> Schema:
        """Return the schema of a type: filled in later, and `{}` for one that has none.

        Args:
            annotation: the type.
            mode: `validation` for what is taken, `serialization` for what is answered.
        """
        try:
            known = self._known.get((annotation, mode))
        except TypeError:
            # Not hashable, as an annotation with a list in it is.
            known = None
        if known is not None:
            return known
        made: Schema = {}
        adapter = _adapter_of(annotation)
        if adapter is None:
            return made
        number = len(self._adapters)
        self._adapters.append((number, mode, adapter))
        self._schemas[number, mode] = made
        with contextlib.suppress(TypeError):
            self._known[annotation, mode] = made
        return made

    def later(self, build: Callable[[], None]) -> None:
        """Run a function once the schemas are there."""
        self._later.append(build)

    def fill(self) -> None:
        """Describe every type that was asked for.

        Raises:
            ConfigError: two types have the same module and name.
        """
        found: Any
        found, shared = pydantic.TypeAdapter.json_schemas(
            self._adapters, ref_template=REFERENCE + "{model}", schema_generator=Generator
        )
        self.definitions.update(shared.get("$defs", {}))
        for name in self.definitions:
            if _COUNTED.search(name):
                raise ConfigError(
                    f"OpenAPI: two types are both called {_COUNTED.sub('', name)!r}; rename one, "
                    "as clients cannot tell them apart"
                )
        renames = _same_both_ways(self.definitions)
        references = _references(renames)
        self.definitions = {
            renames.get(name, name): rewrite(schema, references)
            for name, schema in self.definitions.items()
        }
        for key, schema in found.items():
            self._schemas[key].update(rewrite(schema, references))
        for build in self._later:
            build()

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the schema that a reference names, or the schema itself."""
        while isinstance(schema.get("$ref"), str):
            schema = self.definitions[schema["$ref"].removeprefix(REFERENCE)]
        if len(schema.get("allOf", ())) == 1:
            return self.resolve(schema["allOf"][0])
        return schema


def _same_both_ways(definitions: Mapping[str, Schema]) -> dict[str, str]:
    """Return new names for types that are taken and answered alike, which need only one.

    pydantic does this for types that do not hold themselves; here the rest is compared as if all
    were alike, and what proves not to be is left out until nothing changes.
    """
    names = {
        name.removesuffix("-Input")
        for name in definitions
        if name.endswith("-Input") and name.removesuffix("Input") + "Output" in definitions
    } - set(definitions)
    while True:
        renames = {f"{name}-{way}": name for name in names for way in ("Input", "Output")}
        references = _references(renames)
        different = {
            name
            for name in names
            if rewrite(definitions[f"{name}-Input"], references)
            != rewrite(definitions[f"{name}-Output"], references)
        }
        if not different:
            return renames
        names -= different


def _references(renames: Mapping[str, str]) -> dict[str, str]:
    return {REFERENCE + old: REFERENCE + new for old, new in renames.items()}


def rewrite(node: Any, renames: Mapping[str, str]) -> Any:
    """Return a part of a document whose references lead elsewhere: whole references to such."""
    if isinstance(node, dict):
        return {
            key: renames.get(value, value)
            if key == "$ref" and isinstance(value, str)
            else rewrite(value, renames)
            for key, value in node.items()
        }
    return [rewrite(item, renames) for item in node] if isinstance(node, list) else node


def _adapter_of(annotation: Any) -> pydantic.TypeAdapter[Any] | None:
    if annotation is Any or annotation is object or annotation is None:
        return None
    try:
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(adapted(annotation))
        adapter.json_schema(schema_generator=Generator)
    except (pydantic.errors.PydanticUserError, TypeError, ValueError, NameError):
        # A return annotation may name what only Python knows; its answers are described as any.
        return None
    return adapter
