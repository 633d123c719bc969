"""`manage.py utilmeta_routes`: the endpoints, and which way requests for them go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from utilmeta.conf import current


class Command(BaseCommand):
    """Print each endpoint with its path, and whether the framework's own handler sees requests."""

    help = "Shows the endpoints, and whether requests go through the framework's own handler."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the table.

        Raises:
            CommandError: there is no service.
        """
        service = current.get()
        if service is None:
            raise CommandError("no service exists; set UTILMETA_SERVICE to its dotted path")
        service.application()
        name, reason = service.adapter.name, service.adapter.entrance()
        told = f"before {name}'s own handler" if reason is None else f"through {name}: {reason}"
        self.stdout.write(f"{service.route or '/'} is answered {told}")
        for operation in service.engine.operations:
            path = f"{service.route}{operation.template}"
            self.stdout.write(f"{operation.method:8}{path}  {operation.where}")
