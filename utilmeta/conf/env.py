"""Environment variables, declared as a typed class."""

import json
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import pydantic
from pydantic_core import PydanticUndefined

from utilmeta.conf.env_sources import read_file, read_system
from utilmeta.conf.project import project_dir
from utilmeta.utils.annotations import SEQUENCES, admits_none, spell, strip_optional
from utilmeta.utils.exceptions import ConfigError, EnvError
from utilmeta.utils.masking import MASK, is_secret, mask

_Shape = Literal["plain", "list", "object"]


class Env(pydantic.BaseModel):
    """Base of a class whose annotations are the variables a service needs.

    Values come from the defaults, overridden by `data`, then by `file`, then by `sys_env`.
    Names are matched without regard to letter case; variables that are not declared are not kept.
    Text is converted as pydantic does; besides, lists, tuples and sets take JSON or comma-separated
    text, dictionaries take JSON, and an empty text for an optional variable is None.

    Args:
        data: values by name, such as a dictionary made in code.
        sys_env: True takes system variables of the same name, a text those with it as prefix.
        file: path of a `.json`, `.ini` or `.env` file; a relative one starts at the project
            directory, the folder that holds the declaring module's top-level package.

    Raises:
        EnvError: variables are missing or invalid (all at once), or the file is missing or
            malformed (with its line).
        DependencyNotInstalled: a `.env` file without `utilmeta[env]`.
    """

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        coerce_numbers_to_str=True,
        arbitrary_types_allowed=True,
    )

    _shapes: ClassVar[dict[str, tuple[_Shape, bool]]] = {}
    _spellings: ClassVar[dict[str, list[str]]] = {}

    _sources: dict[str, str] = pydantic.PrivateAttr(default_factory=dict)
    _prefix: str = pydantic.PrivateAttr(default="")
    _has_file: bool = pydantic.PrivateAttr(default=False)

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        sys_env: bool | str = False,
        file: str | Path | None = None,
    ) -> None:
        layers: list[tuple[str, Mapping[str, object]]] = []
        if data:
            layers.append(("data", {name.upper(): value for name, value in data.items()}))
        if file is not None:
            path = self._locate(file)
            layers.append((str(file), read_file(path)))
        prefix = sys_env if isinstance(sys_env, str) else ""
        if sys_env:
            layers.append((f"system {prefix}*" if prefix else "system", read_system(prefix)))
        values, sources = self._collect(layers)
        tried = [name for name, _ in layers] or ["defaults only"]
        try:
            super().__init__(**values)
        except pydantic.ValidationError as exc:
            raise EnvError(self._explain(exc, sources, tried, prefix)) from None
        self._sources.update(sources)
        self._prefix = prefix
        self._has_file = file is not None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Work out, once per class, how text becomes each variable."""
        super().__pydantic_init_subclass__(**kwargs)
        seen: dict[str, str] = {}
        for name in cls.model_fields:
            if name.upper() in seen:
                raise ConfigError(
                    f"{cls.__name__}: {name!r} and {seen[name.upper()]!r} differ in letter case "
                    "only, which does not count for variables; rename one of them"
                )
            seen[name.upper()] = name
        cls._spellings = {
            name: list(dict.fromkeys(item.upper() for item in (name, _alias(info, name))))
            for name, info in cls.model_fields.items()
        }
        cls._shapes = {name: _shape(info.annotation) for name, info in cls.model_fields.items()}

    @classmethod
    def _locate(cls, file: str | Path) -> Path:
        path = Path(file).expanduser()
        if path.is_absolute():
            return path
        return project_dir(cls.__module__) / path

    @classmethod
    def _collect(
        cls, layers: list[tuple[str, Mapping[str, object]]]
    ) -> tuple[dict[str, object], dict[str, str]]:
        values: dict[str, object] = {}
        sources: dict[str, str] = {}
        for source, layer in layers:
            for name in cls.model_fields:
                for spelling in cls._spellings[name]:
                    if spelling in layer:
                        values[name] = cls._prepare(name, layer[spelling])
                        sources[name] = source
        return values, sources

    @classmethod
    def _prepare(cls, name: str, value: object) -> object:
        if not isinstance(value, str):
            return value
        shape, optional = cls._shapes[name]
        if value == "" and optional:
            return None
        text = value.strip()
        if shape == "object" or (shape == "list" and text.startswith("[")):
            try:
                return json.loads(text)
            except json.JSONDecodeError:
                return value
        if shape == "list":
            return [item.strip() for item in text.split(",") if item.strip()]
        return value

    @classmethod
    def _explain(
        cls,
        exc: pydantic.ValidationError,
        sources: Mapping[str, str],
        tried: list[str],
        prefix: str,
    ) -> str:
        lines = []
        for error in exc.errors(include_url=False):
            if not error["loc"]:
                # A validator of the whole class: its input holds every value, secret or not.
                lines.append(f"  {error['msg']}")
                continue
            name = str(error["loc"][0])
            if error["type"] == "missing":
                plain = f" (as {name} but in the system)" if prefix and len(tried) > 1 else ""
                lines.append(f"  {prefix}{name}: missing; looked in {', '.join(tried)}{plain}")
                continue
            spellings = cls._spellings.get(name, [])
            secret = any(is_secret(str(part)) for part in (*error["loc"], *spellings))
            got = MASK if secret else repr(mask(error["input"]))
            # A message may quote the value it refuses, so a secret's is left out whole.
            told = (
                f"not a valid {spell(cls.model_fields[name].annotation)}"
                if secret
                else error["msg"]
            )
            lines.append(f"  {prefix}{name}: {told}, got {got} from {sources.get(name, 'default')}")
        return f"{cls.__name__}: {len(lines)} variable(s) are missing or invalid:\n" + "\n".join(
            lines
        )

    def __eq__(self, other: object) -> bool:
        """Return whether class and values are the same, wherever they came from."""
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        """Return a hash of the values, which must have one each."""
        return hash((type(self), *vars(self).values()))

    @property
    def prefix(self) -> str:
        """What stands before each name among the system's variables."""
        return self._prefix

    @property
    def has_file(self) -> bool:
        """Whether a file is among the sources; names in it have no prefix."""
        return self._has_file

    def source_of(self, name: str) -> str:
        """Return where a variable's value came from, `default` when nothing set it."""
        return self._sources.get(name, "default")

    @classmethod
    def is_secret(cls, name: str) -> bool:
        """Return whether a variable, by any of its names, looks as if it held a secret."""
        return any(is_secret(spelling) for spelling in cls._spellings[name])

    def shown(self, name: str) -> object:
        """Return a variable's value as it may be shown."""
        value = getattr(self, name)
        return MASK if self.is_secret(name) and value not in (None, "") else mask(value)

    def __repr__(self) -> str:
        """Return the class and its variables, secrets masked."""
        shown = ", ".join(f"{name}={self.shown(name)!r}" for name in type(self).model_fields)
        return f"{type(self).__name__}({shown})"

    __str__ = __repr__

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Return name and masked value of each variable, for pydantic's representations."""
        return [(name, self.shown(name)) for name in type(self).model_fields]


COMPUTED = object()


def default_of(info: pydantic.fields.FieldInfo) -> object:
    """Return a variable's default.

    `PydanticUndefined` stands for one that must be given, `COMPUTED` for one made of the others.
    """
    if info.default_factory_takes_validated_data:
        return COMPUTED
    if info.default_factory is not None:
        return info.get_default(call_default_factory=True, validated_data={})
    return PydanticUndefined if info.is_required() else info.default


def _alias(info: pydantic.fields.FieldInfo, name: str) -> str:
    return info.validation_alias if isinstance(info.validation_alias, str) else name


def _shape(annotation: object) -> tuple[_Shape, bool]:
    """Return how text becomes a value of a type, and whether an empty text is None."""
    bare, optional = strip_optional(annotation), admits_none(annotation)
    kind = typing.get_origin(bare) or bare
    if kind in SEQUENCES:
        return "list", optional
    if isinstance(kind, type) and (issubclass(kind, dict | pydantic.BaseModel) or kind is Mapping):
        return "object", optional
    return "plain", optional
