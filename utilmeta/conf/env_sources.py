"""Where environment variables come from: the system, JSON, INI and `.env` files."""

import json
import os
from collections.abc import Mapping
from configparser import ConfigParser, DuplicateOptionError, MissingSectionHeaderError
from configparser import Error as IniError
from pathlib import Path

from utilmeta.utils.exceptions import DependencyNotInstalled, EnvError


def read_system(prefix: str) -> dict[str, str]:
    """Return system variables below a prefix, by name without it, in upper case."""
    wanted = prefix.upper()
    found = {}
    for name, value in os.environ.items():
        upper = name.upper()
        if upper.startswith(wanted) and len(upper) > len(wanted):
            found[upper[len(wanted) :]] = value
    return found


def read_file(path: Path) -> dict[str, object]:
    """Return the variables of a `.json`, `.ini`, `.cfg` or `.env` file, by upper-case name.

    Raises:
        EnvError: the file is missing, unreadable, malformed (with the line) or of another kind.
        DependencyNotInstalled: a `.env` file without python-dotenv.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise EnvError(f"{path}: the file does not exist") from exc
    except UnicodeDecodeError as exc:
        line = path.read_bytes()[: exc.start].count(b"\n") + 1
        raise EnvError(f"{path}, line {line}: the file is not UTF-8") from exc
    except OSError as exc:
        raise EnvError(f"{path}: the file cannot be read: {exc.strerror}") from exc
    name = path.name.lower()
    if path.suffix.lower() == ".json":
        return _upper(_read_json(path, text), path)
    if path.suffix.lower() in {".ini", ".cfg", ".conf"}:
        return _upper(_read_ini(path, text), path)
    if name == ".env" or name.startswith(".env.") or path.suffix.lower() == ".env":
        return _upper(_read_dotenv(path, text), path)
    raise EnvError(f"{path}: expected a file ending in .json, .ini or .env")


def _upper(values: Mapping[str, object], path: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        if name.upper() in found:
            raise EnvError(f"{path}: {name!r} is there twice (letter case does not count)")
        found[name.upper()] = value
    return found


def _read_json(path: Path, text: str) -> Mapping[str, object]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as exc:
        raise EnvError(f"{path}, line {exc.lineno}: not JSON: {exc.msg}") from exc
    if not isinstance(data, dict):
        raise EnvError(f"{path}, line 1: expected a JSON object, got {type(data).__name__}")
    return data


def _read_ini(path: Path, text: str) -> Mapping[str, object]:
    parser = ConfigParser(interpolation=None, strict=True, default_section="", delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    # Plain KEY=VALUE lines come before any section: give them one, on a line of its own.
    plain = "utilmeta plain lines"
    try:
        parser.read_string(f"[{plain}]\n{text}", source=str(path))
    except DuplicateOptionError as exc:
        line = (exc.lineno or 2) - 1
        raise EnvError(f"{path}, line {line}: {exc.option!r} is there twice") from exc
    except MissingSectionHeaderError as exc:
        raise EnvError(f"{path}, line {exc.lineno - 1}: expected KEY=VALUE or [section]") from exc
    except IniError as exc:
        line = next(iter(getattr(exc, "errors", [])), (getattr(exc, "lineno", 2), ""))[0] - 1
        raise EnvError(f"{path}, line {line}: expected KEY=VALUE or [section]") from exc
    values: dict[str, object] = {}
    for section in parser.sections():
        for name, value in parser.items(section):
            if name in values:
                raise EnvError(f"{path}: {name!r} is there twice, in [{section}] and before it")
            values[name] = _unquote(value)
    return values


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _read_dotenv(path: Path, text: str) -> Mapping[str, object]:
    try:
        from dotenv.main import DotEnv
        from dotenv.parser import parse_stream
    except ModuleNotFoundError as exc:
        raise DependencyNotInstalled(
            "dotenv", requirement="utilmeta[env]", purpose=f"Env(file={path.name!r})"
        ) from exc
    from io import StringIO

    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise EnvError(f"{path}, line {binding.original.line}: expected KEY=VALUE")
    parsed = DotEnv(dotenv_path=None, stream=StringIO(text), interpolate=True).dict()
    return {name: value for name, value in parsed.items() if value is not None}
