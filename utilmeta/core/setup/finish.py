"""The last step of set-up: the registry of models is ready, so user code may be imported."""

import sys
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
    """Compile the plan of every schema that a module holds, so that wrong ones are found now.

    Raises:
        ConfigError: a field has no source in the model; see `utilmeta.core.orm.compile`.
    """
    module: Any = sys.modules.get("utilmeta.core.orm.schema")
    waiting: list[Any] = list(module.Schema.__subclasses__()) if module is not None else []
    while waiting:
        schema: Any = waiting.pop()
        waiting += schema.__subclasses__()
        home: Any = sys.modules.get(schema.__module__)
        is_held = getattr(home, schema.__name__, None) is schema
        if schema.model_fields and is_held:
            schema.plan()
