"""`manage.py utilmeta_from_drf`: view sets as the source of API classes."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.references import load_reference

# Loaded by name: what knows REST framework is a room beside this one.
_WRITER = "utilmeta.contrib.rest_framework.porting.write_source"


class Command(BaseCommand):
    """`manage.py utilmeta_from_drf shop.views.ArticleViewSet ... [--output FILE]`."""

    help = "Writes the source of what stands for view sets and serializers of REST framework."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "references",
            nargs="+",
            metavar="CLASS",
            help="dotted path of a view set, a view or a serializer",
        )
        parser.add_argument(
            "--output", metavar="FILE", help="write it there, where nothing is, not to the screen"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        Raises:
            CommandError: a class does not exist, cannot be moved, or the file is there already.
        """
        try:
            write: Any = load_reference(_WRITER, what=_NAME)
            text = write(options["references"])
        except ConfigError as exc:
            raise CommandError(str(exc)) from exc
        if not options["output"]:
            self.stdout.write(text, ending="")
            return
        path = Path(options["output"])
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as exc:
            raise CommandError(f"{path} cannot be written: {exc.strerror}") from exc
        self.stdout.write(f"wrote {path}")


_NAME = "utilmeta_from_drf"
