"""`manage.py env`: the environment variables of the project."""

import json
import sys
import types
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic_core import PydanticUndefined

from utilmeta.conf import Env
from utilmeta.conf.env import COMPUTED, default_of
from utilmeta.utils.annotations import spell
from utilmeta.utils.masking import MASK, mask


class Command(BaseCommand):
    """Print each declared variable: type, default, value and source."""

    help = "Shows the environment variables the project declares, or an example .env file."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--example`."""
        parser.add_argument("--example", action="store_true", help="print an .env.example")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the variables.

        Raises:
            CommandError: no module of the project holds an Env instance.
        """
        found = find_envs()
        if not found:
            raise CommandError(
                "no variables are declared: no imported module holds an instance of a subclass of "
                "utilmeta.conf.Env"
            )
        show = example if options["example"] else describe
        self.stdout.write("\n\n".join(show(env) for env in found))


def find_envs() -> list[Env]:
    """Return the Env instances that imported modules hold, each once, by class name."""
    found: dict[int, Env] = {}
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType):
            for value in list(vars(module).values()):
                # The type, not __class__: a lazy object would be made to look itself up.
                if issubclass(type(value), Env):
                    found[id(value)] = value
    return sorted(found.values(), key=lambda env: type(env).__qualname__)


def describe(env: Env) -> str:
    """Return the variables of one instance as text."""
    lines = [f"{type(env).__module__}.{type(env).__qualname__}"]
    for name, info in type(env).model_fields.items():
        default = default_of(info)
        if default is PydanticUndefined:
            shown = "required"
        elif default is COMPUTED:
            shown = "default computed"
        else:
            secret = env.is_secret(name) and default not in ("", None)
            shown = f"default {MASK if secret else mask(default)!r}"
        value = env.shown(name)
        lines.append(
            f"  {name}: {spell(info.annotation)}, {shown}\n"
            f"      {value!r} from {env.source_of(name)}"
        )
    return "\n".join(lines)


def example(env: Env) -> str:
    """Return an `.env.example` for one instance: defaults as comments, secrets left empty."""
    lines = [f"# {type(env).__qualname__}"]
    # What is copied to the file that is read has no prefix; what goes to the system has.
    prefix = "" if env.has_file else env.prefix
    for name, info in type(env).model_fields.items():
        default = default_of(info)
        note = spell(info.annotation) + (f": {info.description}" if info.description else "")
        lines += [f"# {line}" for line in note.splitlines()]
        if default is PydanticUndefined:
            lines.append(f"{prefix}{name}=")
        elif default is COMPUTED:
            lines.append(f"# {prefix}{name}  (computed from the others)")
        else:
            secret = env.is_secret(name) and default not in ("", None)
            shown = MASK if secret else _quote(_as_text(mask(default)))
            lines.append(f"# {prefix}{name}={shown}")
    return "\n".join(lines)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | int | float | str):
        return str(value)
    if isinstance(value, list | tuple) and all(
        isinstance(item, str) and item and _is_plain(item) for item in value
    ):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    return sorted(value, key=str) if isinstance(value, set | frozenset) else str(value)


def _is_plain(text: str) -> bool:
    return all(char.isalnum() or char in "_-./:@+" for char in text)


def _quote(text: str) -> str:
    if _is_plain(text.replace(",", "")):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
