"""Checks the fields of a configuration dataclass against their annotations."""

import dataclasses
import functools
import ipaddress
import re
import typing
from collections.abc import Hashable, Sequence
from typing import cast

import pydantic

from utilmeta.utils.annotations import spell
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.masking import MASK, is_secret, mask


@functools.cache
def _adapters(cls: Hashable) -> dict[str, tuple[object, pydantic.TypeAdapter[object]]]:
    hints = typing.get_type_hints(cls, include_extras=True)
    config = pydantic.ConfigDict(strict=True, arbitrary_types_allowed=True)
    return {
        field.name: (hints[field.name], pydantic.TypeAdapter(hints[field.name], config=config))
        for field in dataclasses.fields(typing.cast("typing.Any", cls))
        if field.init
    }


def check_fields(instance: object) -> None:
    """Raise when a field of a dataclass instance does not fit its annotation.

    Nothing is converted: a port given as text is an error, not a number.

    Raises:
        ConfigError: names class, field, what was got (secrets masked) and what was expected.
    """
    cls = type(instance)
    for name, (hint, adapter) in _adapters(cast("Hashable", cls)).items():
        value = getattr(instance, name)
        try:
            adapter.validate_python(value)
        except pydantic.ValidationError as exc:
            shown = MASK if is_secret(name) else repr(mask(value))
            raise ConfigError(
                f"{cls.__name__}({name}=...): got {shown} ({type(value).__name__}), "
                f"expected {spell(hint)}: {exc.errors(include_url=False)[0]['msg']}"
            ) from None


# Letters that are the same in a URL, a proxy's configuration and a shell.
_PATH = re.compile(r"(/[A-Za-z0-9._~+@=:,-]+)+")


def is_plain_path(path: str) -> bool:
    """Return whether a text is the path of a URL that needs no escapes: `/healthz`, `/a/b.c`."""
    return _PATH.fullmatch(path) is not None


def check_networks(place: str, given: Sequence[str]) -> None:
    """Raise when a text in a list is neither an address nor a network.

    Args:
        place: where the list stands, such as `Metrics(allow=...)`.
        given: the list.

    Raises:
        ConfigError: one is neither, or a single text was given.
    """
    if isinstance(given, str):
        raise ConfigError(f"{place}: expected a list, such as [{given!r}]")
    for item in given:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError as exc:
            raise ConfigError(
                f"{place}: {item!r} is neither an address nor a network such as '10.0.0.0/8'"
            ) from exc
