"""The last step of set-up: the registry of models is ready, so user code may be imported."""

from utilmeta.core.api import API
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.operation import Operation
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


def finish(reference: type[API] | str | None) -> list[Operation]:
    """Return the compiled operations of a service's API; none without an API.

    Raises:
        ConfigError: the reference or a declaration is wrong.
    """
    return [] if reference is None else compile_api(resolve_api(reference))
