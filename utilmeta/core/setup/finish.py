"""The last step of set-up: the registry of models is ready, so user code may be imported."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from utilmeta.core.api import API
from utilmeta.core.api.compile import compile_api, compile_fallback
from utilmeta.core.api.operation import Operation
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.setup.compose import SERVICE
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.references import load_reference


def resolve_api(reference: type[API] | str) -> type[API]:
    """Return the API class that a service was given.

    Args:
        reference: the class, or `pkg.mod.RootAPI`, which is imported now.

    Raises:
        ConfigError: the reference is wrong, or names something else.
    """
    what = f"{SERVICE}(api=...)"
    found = load_reference(reference, what=what) if isinstance(reference, str) else reference
    if not (isinstance(found, type) and issubclass(found, API)):
        raise ConfigError(f"{what}: {reference!r} is {found!r}, expected a subclass of api.API")
    return found


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of an API class.

    Attributes:
        operations: its endpoints.
        fallback: answers what no endpoint does; None without an API.
    """

    operations: list[Operation]
    fallback: Operation | None


def compile_root(root: type[API], rules: CompileRules) -> Compiled:
    """Return what becomes of an API class.

    Raises:
        ConfigError: a declaration is wrong.
    """
    return Compiled(compile_api(root, rules), compile_fallback(root, rules))


def finish(
    reference: type[API] | str | None, rules: CompileRules, docs: type[API] | None = None
) -> Compiled:
    """Return what becomes of a service's API; nothing without one.

    Args:
        reference: the API class, or where it is.
        rules: what is known of the service.
        docs: answers with the API's description, where the API itself leaves its paths free.

    Raises:
        ConfigError: the reference or a declaration is wrong.
    """
    compiled = Compiled([], None)
    if reference is not None:
        compiled = compile_root(resolve_api(reference), rules)
        if docs is not None:
            taken = {(item.method, item.template.shape()) for item in compiled.operations}
            compiled.operations.extend(
                operation
                for operation in compile_api(docs, rules)
                if (operation.method, operation.template.shape()) not in taken
            )
    check_schemas()
    return compiled


def check_schemas() -> None:
    """Compile what every schema and query of a module does, so that wrong ones are found now.

    Raises:
        ConfigError: a field does not fit the model; see `utilmeta.core.orm`.
    """
    for schema in _subclasses("utilmeta.core.orm.schema", "Schema"):
        mode = schema.__utilmeta_mode__
        if mode is not None and mode.writes and _is_held(schema.__bases__[0]):
            schema.write_plan()
        elif _is_held(schema):
            schema.plan()
    for query in _subclasses("utilmeta.core.orm.query.base", "Query"):
        if _is_held(query):
            query.check()


def _subclasses(module: str, name: str) -> Iterator[Any]:
    """Yield the classes of a model below one that may not have been imported."""
    waiting: list[Any] = [getattr(sys.modules[module], name)] if module in sys.modules else []
    while waiting:
        found: Any = waiting.pop()
        waiting += found.__subclasses__()
        if found.__utilmeta_model__ is not None and found.model_fields:
            yield found


def _is_held(found: Any) -> bool:
    """Return whether a module holds a class by its name, as none does those of a function."""
    return getattr(sys.modules.get(found.__module__), found.__name__, None) is found
