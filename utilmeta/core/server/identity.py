"""The plain facts of a service: name, version, route, origin, checked."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from utilmeta.core.api import API
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.masking import MASK

F = TypeVar("F", bound=Callable[..., Any])

_NAME = re.compile(r"[A-Za-z0-9_-]+")
# Source: semver.org, the suggested expression for version 2.0.0.
_SEMANTIC = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)


def check_name(name: str | None, module_name: str) -> str:
    """Return the service's name; without one, that of its module.

    Raises:
        ConfigError: it holds other characters than letters, digits, `_` and `-`.
    """
    if name is None:
        name = module_name.rpartition(".")[2]
        file = getattr(sys.modules.get(module_name), "__file__", None)
        if name in {"__main__", "__mp_main__"} and file:
            name = Path(file).stem
        name = re.sub(r"[^A-Za-z0-9_-]", "-", name).strip("_-") or "service"
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not name.isascii():
        raise ConfigError(
            f"UtilMeta(name={name!r}): expected letters, digits, '_' and '-', such as 'shop-api'"
        )
    return name


def spell_version(version: object) -> str:
    """Return a version as text: `(0, 1, 0)` is `0.1.0`, `(1, 0, 'rc1')` is `1.0-rc1`.

    Raises:
        ConfigError: it is neither a text nor a tuple of numbers and texts.
    """
    if isinstance(version, str) and version.strip():
        return version.strip()
    if isinstance(version, tuple) and version:
        numbers = [part for part in version if isinstance(part, int) and not isinstance(part, bool)]
        words = [part for part in version if isinstance(part, str)]
        ordered = [*numbers, *words] == list(version)
        if ordered and numbers and all(number >= 0 for number in numbers):
            return "-".join([".".join(map(str, numbers)), *words])
    raise ConfigError(
        f"UtilMeta(version={version!r}): expected a text such as '1.0.2' or a tuple such as "
        "(1, 0, 2)"
    )


def is_semantic(version: str) -> bool:
    """Return whether a version follows semantic versioning."""
    return _SEMANTIC.fullmatch(version) is not None


def check_route(route: object, *, where: str = "UtilMeta(route=...)") -> str:
    """Return a route as `''` or `/one/two`.

    Raises:
        ConfigError: it is no relative path of plain segments.
    """
    if not isinstance(route, str):
        raise ConfigError(f"{where}: got {route!r}, expected a path such as '/api'")
    if "://" in route or any(char in route for char in "?#{}<>%\\ ") or not route.isprintable():
        raise ConfigError(f"{where}: {route!r} is no relative path; expected one such as '/api'")
    parts = route.strip("/").split("/")
    if any(part in {".", ".."} for part in parts) or "//" in route.strip("/"):
        raise ConfigError(f"{where}: {route!r} holds '.', '..' or '//'; expected such as '/api/v1'")
    return "/" + "/".join(parts) if parts != [""] else ""


def check_origin(origin: object) -> str | None:
    """Return the public origin without a trailing slash.

    Raises:
        ConfigError: it is no `http://` or `https://` URL of a host alone.
    """
    if origin is None:
        return None
    if isinstance(origin, str) and _is_origin(origin):
        return origin.rstrip("/")
    shown = MASK if "@" in str(origin) else origin
    raise ConfigError(
        f"UtilMeta(origin={shown!r}): expected scheme and host, such as 'https://api.example.com'"
    )


def _is_origin(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        # Reading the port checks it.
        bare = not parts.port or bool(parts.netloc)
    except ValueError:
        return False
    bare = bare and parts.path in {"", "/"} and not parts.query and not parts.fragment
    plain = "@" not in parts.netloc and not any(char.isspace() for char in origin)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and bare and plain


def check_listen(host: object, port: object, scheme: object) -> None:
    """Raise ConfigError when host, port or scheme cannot be listened on or named."""
    if not isinstance(host, str) or "://" in host or "/" in host:
        raise ConfigError(f"UtilMeta(host={host!r}): expected an address or a host name")
    if port is not None and (
        isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536
    ):
        raise ConfigError(f"UtilMeta(port={port!r}): expected a number from 1 to 65535")
    if not isinstance(scheme, str) or scheme not in {"http", "https"}:
        raise ConfigError(f"UtilMeta(scheme={scheme!r}): expected 'http' or 'https'")


def check_api(api: object) -> type[API] | str | None:
    """Return the root API when it is a class or a reference.

    Raises:
        ConfigError: it is neither.
    """
    if api is None or isinstance(api, str) or (isinstance(api, type) and issubclass(api, API)):
        return api
    raise ConfigError(
        f"UtilMeta(api={api!r}): expected a subclass of api.API, or a reference such as "
        "'service.api.RootAPI'"
    )


def check_hook(name: str, function: F) -> F:
    """Return a hook when it can be called.

    Raises:
        ConfigError: it cannot.
    """
    if not callable(function):
        raise ConfigError(f"@service.{name}: {function!r} is no function")
    return function


def alias_main(module_name: str) -> None:
    """Let `import server` give the running module when `server.py` is run as a script.

    Otherwise a reference such as `server.RootAPI` would run the file, and make the service, twice.
    Processes that multiprocessing spawns run the script as `__mp_main__`.
    """
    main = sys.modules.get(module_name)
    file = getattr(main, "__file__", None)
    is_script = module_name in {"__main__", "__mp_main__"}
    if is_script and file and getattr(main, "__spec__", None) is None:
        sys.modules.setdefault(Path(file).stem, cast("Any", main))
