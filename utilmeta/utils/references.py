"""Dotted references to Python objects, with errors that help."""

import difflib
import importlib
from types import ModuleType

from utilmeta.utils.exceptions import ConfigError


def split_reference(reference: str) -> tuple[str, str]:
    """Return module and attribute of `pkg.mod.Attr` or `pkg.mod:Attr`.

    Raises:
        ConfigError: the text is no dotted reference.
    """
    module, separator, attribute = reference.partition(":")
    if not separator:
        module, separator, attribute = reference.rpartition(".")
    parts = [*module.split("."), *attribute.split(".")]
    if not module or not all(part.isidentifier() for part in parts):
        raise ConfigError(
            f"{reference!r} is no reference; expected 'package.module.Name', such as "
            "'service.api.RootAPI'"
        )
    return module, attribute


def load_reference(reference: str, *, what: str) -> object:
    """Import the object that a dotted reference names.

    Args:
        reference: `pkg.mod.Attr` or `pkg.mod:Attr`.
        what: where the reference was written, for messages, such as `UtilMeta(api=...)`.

    Raises:
        ConfigError: the module or the attribute does not exist (with near misses), or
            importing the module failed (chained).
    """
    module_name, attribute = split_reference(reference)
    module = _import(module_name, reference, what)
    found: object = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = [name for name in dir(found) if not name.startswith("_")]
            raise ConfigError(
                f"{what}: {reference!r}: module {module_name!r} has no {attribute!r}"
                f"{_near(part, names)}"
            ) from None
    return found


def _import(module_name: str, reference: str, what: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        missing = exc.name or ""
        if module_name == missing or module_name.startswith(missing + "."):
            raise ConfigError(
                f"{what}: {reference!r}: there is no module {missing!r} on the import path"
                f"{_near(missing.rpartition('.')[2], _siblings(missing))}"
            ) from exc
        raise ConfigError(
            f"{what}: {reference!r}: importing {module_name!r} failed: {exc}"
        ) from exc
    except ImportError as exc:
        raise ConfigError(
            f"{what}: {reference!r}: importing {module_name!r} failed: {exc}"
        ) from exc


def _siblings(missing: str) -> list[str]:
    import pkgutil

    parent = missing.rpartition(".")[0]
    if parent:
        path = getattr(importlib.import_module(parent), "__path__", None)
        return [info.name for info in pkgutil.iter_modules(path)] if path else []
    return [info.name for info in pkgutil.iter_modules()]


def _near(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=3)
    return f"; did you mean {' or '.join(repr(item) for item in close)}?" if close else ""
