"""`manage.py utilmeta_settings`: what the service made of Django's settings, and why."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from utilmeta.conf import current
from utilmeta.core.setup import bootstrap
from utilmeta.utils.masking import mask


class Command(BaseCommand):
    """Print every composed setting, its value, its rule and who set it."""

    help = "Shows each Django setting the service composes: value, rule and origin."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        """Take names to show, and `--json`."""
        parser.add_argument("names", nargs="*", help="settings to show; all by default")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the table.

        Raises:
            CommandError: there is no service, or a name is none of its settings.
        """
        service = current.get()
        if service is None or service.settings is None:
            raise CommandError("there is no service; set UTILMETA_SERVICE to its dotted path")
        origins = service.settings.origins
        names = options["names"] or sorted(origins)
        unknown = [name for name in names if name not in origins]
        if unknown:
            raise CommandError(f"the service does not compose {', '.join(unknown)}")
        composed = service.composed
        chosen = {
            alias: text
            for alias, text in composed.chosen.items()
            if bootstrap.is_composed(composed, alias)
        }
        rows = [
            {
                "name": name,
                "value": mask(getattr(settings, name, None), name),
                "rule": origins[name][0],
                "origin": origins[name][1],
                **({"chosen": chosen} if name == "DATABASES" and chosen else {}),
            }
            for name in names
        ]
        self.stdout.write(_as_json(rows) if options["json"] else _as_text(rows))


def _as_json(rows: list[dict[str, Any]]) -> str:
    import json

    return json.dumps(rows, indent=2, default=str, ensure_ascii=False)


def _as_text(rows: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{row['name']} = {row['value']!r}\n    set by: {row['origin']}\n    rule:   {row['rule']}"
        + "".join(
            f"\n    chosen: {alias!r}: {text}" for alias, text in row.get("chosen", {}).items()
        )
        for row in rows
    )
