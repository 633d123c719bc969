"""`manage.py deploy`: the files that put the service into production."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from utilmeta.conf import current
from utilmeta.deploy.combinations import check, warnings
from utilmeta.deploy.facts import Facts, find_place, gather
from utilmeta.deploy.render import render
from utilmeta.deploy.sizing import Sizing, explain, size_of
from utilmeta.deploy.writing import compare, write
from utilmeta.utils.exceptions import ConfigError


class Command(BaseCommand):
    """`manage.py deploy [--output FOLDER] [--force | --check]`."""

    help = "Writes what puts the service into production: server, nginx, systemd, containers."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--output", default="deploy", metavar="FOLDER", help="folder, below the project's"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--force", action="store_true", help="overwrite files that differ")
        how.add_argument(
            "--check", action="store_true", help="write nothing; fail when files differ"
        )
        parser.add_argument(
            "--folder", metavar="PATH", help="where the project lies in production; default: here"
        )
        parser.add_argument(
            "--venv", metavar="PATH", help="its virtual environment there; default: this one"
        )
        parser.add_argument(
            "--processors", type=int, metavar="N", help="processors there; default: as here"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        Raises:
            CommandError: there is no service, it does not suit its server, or files differ.
        """
        service = current.get()
        if service is None:
            raise CommandError("no service exists; set UTILMETA_SERVICE to its dotted path")
        try:
            self._run(service, options)
        except ConfigError as exc:
            raise CommandError(str(exc)) from exc

    def _run(self, service: Any, options: dict[str, Any]) -> None:
        count = options["processors"]
        if count is not None and count < 1:
            raise CommandError(f"--processors {count}: expected a number from 1")
        facts = gather(service)
        check(facts)
        output = _output(facts, options["output"])
        place = find_place(
            facts.project, str(output), folder=options["folder"], venv=options["venv"]
        )
        sizing = size_of(facts, count=count)
        files = render(facts, sizing, place)
        for text in [*warnings(facts), *explain(sizing)]:
            self.stderr.write(f"warning: {text}")
        folder = facts.project / output
        if options["check"]:
            self._compare(folder, files)
        else:
            found = write(folder, files, force=options["force"])
            for name in [*found.new, *found.different]:
                self.stdout.write(f"wrote {output / name}")
            for name in found.same:
                self.stdout.write(f"left {output / name} as it is")
            self.stdout.write(_summary(facts, sizing))

    def _compare(self, folder: Path, files: dict[str, str]) -> None:
        found = compare(folder, files)
        wrong = sorted([*found.new, *found.different])
        if wrong:
            raise CommandError(
                f"{folder}: {', '.join(wrong)} would be written differently; run manage.py deploy "
                "--force, and look at what has changed"
            )
        self.stdout.write(f"{folder} is up to date")


def _output(facts: Facts, given: str) -> Path:
    path = (facts.project / given).resolve()
    root = facts.project.resolve()
    if path == root or not path.is_relative_to(root):
        raise CommandError(f"--output {given}: expected a folder below {root}")
    return path.relative_to(root)


def _summary(facts: Facts, sizing: Sizing) -> str:
    kind = f"{facts.server} ({facts.worker})" if facts.worker else facts.server
    threads = "lanes" if facts.asynchronous else "threads"
    return f"{kind}: {sizing.workers} processes with {sizing.threads} {threads} each"
