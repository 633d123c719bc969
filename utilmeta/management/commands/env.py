"""`manage.py env`: the environment variables of the project."""

import sys
import types
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic_core import PydanticUndefined

from utilmeta.conf import Env
from utilmeta.conf.env import default_of
from utilmeta.utils.annotations import spell
from utilmeta.utils.masking import MASK, is_secret, mask


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
                if isinstance(value, Env):
                    found[id(value)] = value
    return sorted(found.values(), key=lambda env: type(env).__qualname__)


def describe(env: Env) -> str:
    """Return the variables of one instance as text."""
    lines = [f"{type(env).__module__}.{type(env).__qualname__}"]
    for name, info in type(env).model_fields.items():
        default = default_of(info)
        shown = "required" if default is PydanticUndefined else f"default {mask(default, name)!r}"
        value = mask(getattr(env, name), name)
        lines.append(
            f"  {name}: {spell(info.annotation)}, {shown}\n"
            f"      {value!r} from {env.source_of(name)}"
        )
    return "\n".join(lines)


def example(env: Env) -> str:
    """Return an `.env.example` for one instance: defaults as comments, secrets left empty."""
    lines = [f"# {type(env).__qualname__}"]
    prefix = env.prefix
    for name, info in type(env).model_fields.items():
        default = default_of(info)
        note = f"# {spell(info.annotation)}"
        if info.description:
            note += f": {info.description}"
        lines.append(note)
        if default is PydanticUndefined:
            lines.append(f"{prefix}{name}=")
        else:
            shown = MASK if is_secret(name) and default not in ("", None) else _as_text(default)
            lines.append(f"# {prefix}{name}={shown}")
    return "\n".join(lines)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        import json

        return json.dumps(value)
    return str(value)
