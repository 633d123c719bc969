"""Shows the statements that each endpoint's answer takes, and fails when they are too many."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from utilmeta.conf import current
from utilmeta.core.api.reading import schemas_within


class Command(BaseCommand):
    """`manage.py utilmeta_queries [--max N] [--sql]`."""

    help = "Shows the statements that each endpoint's answer takes."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--max", type=int, metavar="N", help="fail when an answer takes more statements"
        )
        parser.add_argument("--sql", action="store_true", help="show the statements' SQL as well")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        Raises:
            CommandError: there is no service, or an answer takes too many statements.
        """
        service = current.get()
        if service is None:
            raise CommandError("no service exists; set UTILMETA_SERVICE to its dotted path")
        service.setup()
        limit, over = options["max"], []
        for operation in service.engine.operations:
            plans = [schema.plan() for schema in schemas_within(operation.returns)]
            if not plans:
                continue
            number = sum(plan.queries for plan in plans)
            name = f"{operation.method} {operation.template}"
            mark = " (and for each further level)" if any(plan.recursive for plan in plans) else ""
            self.stdout.write(f"{name}: {_counted(number)}{mark}")
            for line in _lines(plans, with_sql=options["sql"]):
                self.stdout.write(f"    {line}")
            if limit is not None and number > limit:
                over.append(f"{name} takes {number}")
        if over:
            raise CommandError(f"more than {_counted(limit)}: {'; '.join(over)}")


def _counted(number: int) -> str:
    return f"{number} statement{'' if number == 1 else 's'}"


def _lines(plans: list[Any], *, with_sql: bool) -> Iterator[str]:
    for plan in plans:
        if with_sql:
            yield from str(plan).splitlines()
            continue
        for item in plan.statements:
            names = ", ".join(name.removeprefix("_utilmeta_") for name in item.columns)
            yield f"{item.reads}: {names}"
