"""Where the arguments of an endpoint come from, as declarations.

Each name is usable bare (`page: int = request.QueryParam`), called
(`page: int = request.QueryParam(default=1, ge=1)`) and inside `Annotated`.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import MISSING as NOT_SENT

from utilmeta.utils.exceptions import ConfigError

Place = Literal["path", "query", "header", "cookie", "body", "context"]

# What an argument with this default holds when the request does not hold it: another thing than
# null. pydantic leaves it out of what it serializes.
Unset: Any = NOT_SENT


class _Missing:
    """The type of `MISSING`: no default was given."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_CONSTRAINTS = frozenset(
    {
        "ge",
        "gt",
        "le",
        "lt",
        "multiple_of",
        "min_length",
        "max_length",
        "pattern",
        "max_digits",
        "decimal_places",
        "allow_inf_nan",
        "strict",
    }
)


# Compared by identity, so that it can be hashed: Annotated and unions need that.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Param:
    """One declared source of an argument.

    Attributes:
        kind: the public name it was made by, for messages.
        place: the part of the request.
        whole: whether the argument is the whole part, not one member of it.
        default: value when it is not sent, `MISSING` when it must be.
        default_factory: makes the default.
        alias: the name in the request; None takes the argument's.
        convertor: `segment` or `rest`, for path parameters.
        content_types: accepted media types of a body; none for those its type asks for.
        form: whether a body is a form, never JSON.
        max_bytes: bytes a body may have; None takes the service's limit.
        variable: the context variable that the value is of; None for what is sent.
        about: title, description, examples and deprecation, for the API's description.
        constraints: pydantic's constraints by name.
    """

    kind: str
    place: Place
    whole: bool = False
    default: object = MISSING
    default_factory: Callable[[], object] | None = None
    alias: str | None = None
    convertor: str = "segment"
    content_types: tuple[str, ...] = ()
    form: bool = False
    max_bytes: int | None = None
    variable: Any = None
    about: Mapping[str, Any] = field(default_factory=dict)
    constraints: Mapping[str, Any] = field(default_factory=dict)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return the declaration on the class, the default on an instance without a value.

        Raises:
            AttributeError: there is no default.
        """
        return _on_class(self, instance)

    @property
    def required(self) -> bool:
        """Whether the request must hold it."""
        return self.default is MISSING and self.default_factory is None

    def make_default(self) -> object:
        """Return the value when it is not sent.

        Raises:
            TypeError: it must be sent.
        """
        if self.default_factory is not None:
            return self.default_factory()
        if self.default is MISSING:
            raise TypeError(f"request.{self.kind}: a value has to be given")
        return copy.deepcopy(self.default)

    def field_info(self, *, alias: str | None = None, default: object = MISSING) -> FieldInfo:
        """Return the pydantic field that validates it.

        Args:
            alias: the name to read it by.
            default: used when the declaration itself has none.
        """
        options: dict[str, Any] = {**self.about, **self.constraints}
        if self.default_factory is not None:
            options["default_factory"] = self.default_factory
        elif self.default is not MISSING:
            options["default"] = self.default
        elif default is not MISSING:
            options["default"] = default
        if alias is not None:
            options["alias"] = alias
        info: FieldInfo = pydantic.Field(**options)
        return info


@dataclass(frozen=True, slots=True, eq=False)
class ParamKind:
    """A public name such as `QueryParam`; calling it declares a parameter with options.

    Attributes:
        name: the public name.
        place: the part of the request.
        whole: whether arguments of this kind are the whole part.
        options: fixed fields of the parameters it makes.
    """

    name: str
    place: Place
    whole: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return the declaration on the class; see `Param.__get__`."""
        return _on_class(self, instance)

    def bare(self) -> Param:
        """Return the parameter that the bare name stands for."""
        return Param(kind=self.name, place=self.place, whole=self.whole, **self.options)

    def __call__(
        self,
        default: object = MISSING,
        *,
        default_factory: Callable[[], object] | None = None,
        alias: str | None = None,
        title: str | None = None,
        description: str | None = None,
        examples: list[Any] | None = None,
        deprecated: bool | str | None = None,
        content_type: str | Sequence[str] | None = None,
        max_length: int | None = None,
        regex: str | None = None,
        **constraints: Any,
    ) -> Param:
        """Declare a parameter.

        Args:
            default: value when it is not sent; without one it must be sent.
            default_factory: makes the default, for mutable ones.
            alias: the name in the request, when it differs from the argument's.
            title: short name, for the API's description.
            description: what it means, for the API's description.
            examples: values to show, for the API's description.
            deprecated: True, or what to use instead.
            content_type: media type of a whole body, or several.
            max_length: characters or items; bytes for a whole body.
            regex: the same as `pattern`.
            **constraints: pydantic's `ge gt le lt multiple_of min_length pattern ...`.

        Raises:
            ConfigError: an option is unknown, or does not fit this kind.
        """
        unknown = set(constraints) - _CONSTRAINTS
        if unknown:
            raise ConfigError(
                f"request.{self.name}({', '.join(sorted(unknown))}=...): unknown option; expected "
                "one of default, default_factory, alias, title, description, examples, deprecated, "
                f"content_type, max_length, regex, {', '.join(sorted(_CONSTRAINTS))}"
            )
        if default is not MISSING and default_factory is not None:
            raise ConfigError(f"request.{self.name}: give default or default_factory, not both")
        is_body = self.place == "body" and self.whole
        if content_type is not None and not is_body:
            raise ConfigError(f"request.{self.name}(content_type=...): only whole bodies have one")
        if regex is not None:
            constraints["pattern"] = regex
        if max_length is not None and not is_body:
            constraints["max_length"] = max_length
        about = {
            "title": title,
            "description": description,
            "examples": examples,
            "deprecated": deprecated,
        }
        options = {name: value for name, value in self.options.items() if name != "constraints"}
        constraints = {**self.options.get("constraints", {}), **constraints}
        if content_type is not None:
            given = [content_type] if isinstance(content_type, str) else content_type
            options["content_types"] = tuple(item.lower() for item in given)
        return Param(
            kind=self.name,
            place=self.place,
            whole=self.whole,
            default=default,
            default_factory=default_factory,
            alias=alias,
            max_bytes=max_length if is_body else None,
            about={name: value for name, value in about.items() if value is not None},
            constraints=constraints,
            **options,
        )


# Typed as Any so that `page: int = request.QueryParam(1)` satisfies type checkers.
PathParam: Any = ParamKind("PathParam", "path")
SlugPathParam: Any = ParamKind(
    "SlugPathParam", "path", options={"constraints": {"pattern": r"^[-\w]+$"}}
)
FilePathParam: Any = ParamKind("FilePathParam", "path", options={"convertor": "rest"})
QueryParam: Any = ParamKind("QueryParam", "query")
HeaderParam: Any = ParamKind("HeaderParam", "header")
CookieParam: Any = ParamKind("CookieParam", "cookie")
BodyParam: Any = ParamKind("BodyParam", "body")
Path: Any = ParamKind("Path", "path", whole=True)
Query: Any = ParamKind("Query", "query", whole=True)
Headers: Any = ParamKind("Headers", "header", whole=True)
Cookies: Any = ParamKind("Cookies", "cookie", whole=True)
Body: Any = ParamKind("Body", "body", whole=True)
Json: Any = ParamKind("Json", "body", whole=True, options={"content_types": ("application/json",)})
FormParam: Any = ParamKind("FormParam", "body", options={"form": True})
Form: Any = ParamKind("Form", "body", whole=True, options={"form": True})


def _on_class(declared: Any, instance: object) -> Any:
    if instance is None:
        return declared
    param = declared if isinstance(declared, Param) else declared.bare()
    if not param.required:
        return param.make_default()
    raise AttributeError(
        f"{type(instance).__name__}: a {declared.place} parameter has no value here; it is set "
        "when a request is answered, or given as in Class(request, name=value)"
    )


def as_param(value: object) -> Param | None:
    """Return the parameter that a default or an `Annotated` item declares, else None."""
    if isinstance(value, Param):
        return value
    if isinstance(value, ParamKind):
        return value.bare()
    # Context values know what they stand for; they live beside this module.
    make = getattr(type(value), "as_param", None)
    return None if make is None or isinstance(value, type) else make(value)
