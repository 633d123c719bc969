"""Fields of a schema that are more than the model's field of the same name."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic
from django.db.models import QuerySet
from pydantic.fields import FieldInfo
from pydantic_core import MISSING, PydanticUndefined

from utilmeta.core.orm.modes import LETTERS
from utilmeta.utils.exceptions import ConfigError

# What is done with the related rows that a nested field holds when it is written.
OnWrite = Literal["create", "update", "replace", "link"]
_POLICIES = ("create", "update", "replace", "link")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """What `orm.Field` says of a field besides what pydantic knows.

    Attributes:
        source: a path such as `author.username`, an expression, a queryset, or a function; None
            for the model's field of the same name.
        queryset: which related rows a relation holds, in which order, how many for each.
        mode: letters of the uses it belongs to; None for what its source allows.
        no_input: whether clients cannot set it; code can.
        no_output: whether answers leave it out; code can read it.
        on_write: what is done with nested related rows.
        version: whether it counts the updates of its row.
        needs: relations that a Python property of the model uses.
        read: rule for those who may read it; None for everybody.
        write: rule for those who may set it; None for everybody.
    """

    # Shown without these: the text of a queryset is its rows, read from the database.
    source: Any = field(default=None, repr=False)
    queryset: "QuerySet[Any] | None" = field(default=None, repr=False)
    mode: str | None = None
    no_input: bool = False
    no_output: bool = False
    on_write: OnWrite | None = None
    version: bool = False
    needs: tuple[str, ...] = ()
    read: Any = None
    write: Any = None


@dataclass(slots=True)
class Carried:
    """A mark on fields that the model's column has been carried into, with what was added."""

    constraints: list[Any] = field(default_factory=list)


def Field(  # noqa: N802 - public name
    source: Any = None,
    *,
    queryset: "QuerySet[Any] | None" = None,
    mode: str | None = None,
    no_input: bool = False,
    no_output: bool = False,
    required: bool | None = None,
    default: Any = PydanticUndefined,
    default_factory: Callable[[], Any] | None = None,
    alias: str | None = None,
    title: str | None = None,
    description: str | None = None,
    on_write: OnWrite | None = None,
    version: bool = False,
    needs: Sequence[str] = (),
    read: Any = None,
    write: Any = None,
    **constraints: Any,
) -> Any:
    """Declare where a schema's field comes from, what it is for and what it is called.

    Args:
        source: None for the model's field of the same name; a path through relations
            (`author.username`, `tags.name`); a Django expression (`models.Count('comments')`); a
            queryset with `OuterRef`, whose first row is taken; a function `(cls, *keys)` that
            returns a dictionary from keys to values, or to keys of nested rows.
        queryset: for a relation, which rows it holds; a slice of it is a slice for each parent.
        mode: letters of the uses the field belongs to: `r` read, `a` create, `w` update.
        no_input: clients cannot set it, code can.
        no_output: answers leave it out, code can read it.
        required: False lets clients leave it out without a default; it is then `request.Unset`.
        default: value of an instance made without one.
        default_factory: makes the default.
        alias: name in JSON, in and out.
        title: short name, for the API's description.
        description: what it means, for the API's description; the column's `help_text` otherwise.
        on_write: for a nested schema that is written: `create` makes new rows, `update` makes new
            ones and changes those sent with their key, `replace` also deletes those not sent,
            `link` points at rows that exist.
        version: a whole number that counts updates; an update of another version is refused.
        needs: relations that a Python property of the model uses, so that they are read at once.
        read: rule of `utilmeta.core.auth`, or function of the request, for those who may read it;
            answers to others leave it out, and the database is not asked for it.
        write: the same for those who may set it; from others it is 403.
        **constraints: pydantic's `ge gt le lt min_length max_length pattern ...`.

    Raises:
        ConfigError: an argument is wrong.
    """
    _check(f"orm.Field({shown(source)})", source, queryset, mode, on_write)
    check_options("orm.Field", constraints)
    for name, rule in (("read", read), ("write", write)):
        if rule is not None:
            check_rule(rule, f"orm.Field({name}=...)")
    options: dict[str, Any] = {"title": title, "description": description, "alias": alias}
    options = {name: value for name, value in options.items() if value is not None}
    if default_factory is not None:
        options["default_factory"] = default_factory
    elif default is not PydanticUndefined:
        options["default"] = default
    elif required is False:
        options["default"] = MISSING
    info: FieldInfo = pydantic.Field(**options, **constraints)
    info.metadata.append(
        Options(
            source=source,
            queryset=queryset,
            mode=mode,
            no_input=no_input,
            no_output=no_output,
            on_write=on_write,
            version=version,
            needs=tuple(needs),
            read=read,
            write=write,
        )
    )
    return info


# What pydantic's fields take besides what is named here.
_PYDANTIC = frozenset(inspect.signature(pydantic.Field).parameters) - {"default", "extra"}


def check_options(where: str, given: Iterable[str]) -> None:
    """Refuse options that nothing knows: one that is misspelt must not go unseen.

    Raises:
        ConfigError: there is one; tells near misses.
    """
    for name in given:
        if name not in _PYDANTIC:
            close = difflib.get_close_matches(name, [*_OWN, *_PYDANTIC], n=2)
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise ConfigError(f"{where}({name}=...): unknown option{hint}")


_OWN = (
    "source",
    "queryset",
    "mode",
    "no_input",
    "no_output",
    "required",
    "on_write",
    "version",
    "needs",
    "read",
    "write",
)


def check_rule(rule: Any, where: str) -> None:
    """Refuse what is no rule for a field.

    Raises:
        ConfigError: it is no function of the request, or may wait: bodies are validated on the
            event loop of an async service.
    """
    if not (callable(rule) or hasattr(rule, "allows")):
        raise ConfigError(f"{where}: expected a rule, or a function of the request; got {rule!r}")
    if getattr(rule, "is_quick", True) is False:
        raise ConfigError(
            f"{where}: {rule!r} may ask the database; a field's rule is made of scopes, or of "
            "@auth.rule(is_quick=True)"
        )


def _check(where: str, source: Any, queryset: Any, mode: str | None, on_write: str | None) -> None:
    if source is not None and not (isinstance(source, str) or is_computed(source)):
        raise ConfigError(
            f"{where}: expected a path such as 'author.username', an expression, a queryset or a "
            "function (cls, *keys)"
        )
    if queryset is not None and not isinstance(queryset, QuerySet):
        raise ConfigError(f"{where}: queryset={shown(queryset)} is no queryset")
    if queryset is not None and is_computed(source):
        raise ConfigError(f"{where}: queryset= belongs to a relation, not to {shown(source)}")
    if mode is not None and (not mode or set(mode) - LETTERS):
        raise ConfigError(
            f"{where}: mode={mode!r}; expected letters of r (read), a (create), w (update)"
        )
    if on_write is not None and on_write not in _POLICIES:
        raise ConfigError(f"{where}: on_write={on_write!r}; expected one of {', '.join(_POLICIES)}")


def shown(source: Any) -> str:
    """Return a source as messages show it; a queryset without reading its rows."""
    if isinstance(source, QuerySet):
        return f"<queryset of {source.model.__name__}>"
    return "" if source is None else repr(source)


def is_expression(value: Any) -> bool:
    """Return whether a value is one of Django's expressions, or stands for one."""
    return hasattr(value, "resolve_expression") and not isinstance(value, type | QuerySet)


def is_function(value: Any) -> bool:
    """Return whether a value is a function that gives values for many keys at once."""
    return isinstance(value, classmethod | staticmethod) or (
        callable(value) and not isinstance(value, type) and not is_expression(value)
    )


def is_computed(value: Any) -> bool:
    """Return whether a source is no path: an expression, a queryset or a function."""
    return isinstance(value, QuerySet) or is_expression(value) or is_function(value)


_PLAIN = Options()


def options_of(info: FieldInfo) -> Options:
    """Return what was said of a field; of `Annotated` types the last."""
    return next((item for item in reversed(info.metadata) if isinstance(item, Options)), _PLAIN)
