"""The adapters by name, and which of them a `backend` value means."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from utilmeta.core.server.contract import Adapter
from utilmeta.utils.exceptions import ConfigError, DependencyNotInstalled

NAMES = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")
_HOME = "utilmeta.core.server.backends"


def adapter_class(name: str) -> type[Adapter]:
    """Return the adapter of a framework.

    Raises:
        ConfigError: the name is none of the six.
        DependencyNotInstalled: the framework is missing.
    """
    if name not in NAMES:
        raise _unknown(name)
    if find_spec(name) is None:
        raise _missing(name, name)
    try:
        module = import_module(f"{_HOME}.{name}")
    except ModuleNotFoundError as exc:
        raise _missing(exc.name or name, name) from exc
    found: type[Adapter] = module.ADAPTER
    return found


def find_adapter(backend: object) -> tuple[type[Adapter], object | None]:
    """Return the adapter for a `backend` value, and the application object if it is one.

    Args:
        backend: module, name or application object of a framework.

    Raises:
        ConfigError: it is none of these.
        DependencyNotInstalled: the framework is missing.
    """
    if isinstance(backend, str):
        return adapter_class(backend.lower()), None
    if isinstance(backend, ModuleType):
        return adapter_class(backend.__name__), None
    # FastAPI is a Starlette, so the more special one is asked first.
    ancestors = {cls.__module__.partition(".")[0] for cls in type(backend).__mro__}
    for name in ("fastapi", "starlette", "flask", "sanic", "tornado", "django"):
        if name in ancestors:
            adapter = adapter_class(name)
            if adapter.owns(backend):
                return adapter, backend
    raise _unknown(backend)


def _missing(package: str, name: str) -> DependencyNotInstalled:
    requirement = "Django" if name == "django" else f"utilmeta[{name}]"
    return DependencyNotInstalled(package, requirement=requirement, purpose=f"backend {name!r}")


def _unknown(backend: object) -> ConfigError:
    return ConfigError(
        f"UtilMeta(backend=...): {backend!r} is no backend; expected one of {', '.join(NAMES)}, "
        "its module, or an application object of it"
    )


def check_mode(adapter: type[Adapter], app: object, asynchronous: bool | None) -> bool:
    """Return whether a service on this framework answers on an event loop.

    Args:
        adapter: the framework's.
        app: the user's application object, None without one.
        asynchronous: what the user decided, None for the framework's nature.

    Raises:
        ConfigError: the framework only serves on an event loop, and the user said no.
    """
    if asynchronous is None:
        return adapter.asynchronous if app is None else adapter.mode_of(app)
    if not isinstance(asynchronous, bool):
        raise ConfigError(f"UtilMeta(asynchronous={asynchronous!r}): expected True, False or None")
    if not asynchronous and adapter.asynchronous:
        raise ConfigError(
            f"UtilMeta(asynchronous=False): {adapter.name} serves on an event loop; leave it out "
            "(sync endpoints run on worker threads), or choose django or flask"
        )
    return asynchronous
