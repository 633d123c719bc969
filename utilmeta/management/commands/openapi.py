"""Writes the service's OpenAPI document, or checks one that was written before."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from utilmeta.conf import current
from utilmeta.core.api.specs.docs import write_document


class Command(BaseCommand):
    """`manage.py openapi [--output FILE | --split FOLDER | --check FILE] [--yaml]`."""

    help = "Writes the service's OpenAPI document."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--output", metavar="FILE", help="write it there instead of printing it")
        where.add_argument(
            "--check", metavar="FILE", help="fail when the file differs from the document"
        )
        where.add_argument(
            "--split",
            metavar="FOLDER",
            help="write openapi.json, and each path and schema to a file of its own",
        )
        parser.add_argument("--yaml", action="store_true", help="YAML instead of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        Raises:
            CommandError: there is no service, a file cannot be read, or it differs.
        """
        service = current.get()
        if service is None:
            raise CommandError("no service exists; set UTILMETA_SERVICE to its dotted path")
        service.setup()
        document = service.openapi()
        text = write_document(document, as_yaml=options["yaml"])
        if options["check"]:
            self._check(Path(options["check"]), text)
        elif options["split"]:
            self._split(Path(options["split"]), document)
        elif options["output"]:
            Path(options["output"]).write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")

    def _check(self, path: Path, text: str) -> None:
        try:
            known = path.read_text(encoding="utf-8")
        except OSError as exc:
            raise CommandError(f"{path} cannot be read: {exc.strerror}") from exc
        if known != text:
            raise CommandError(
                f"{path} is not what the service answers; write it anew with --output {path}"
            )
        self.stdout.write(f"{path} is up to date")

    def _split(self, folder: Path, document: dict[str, Any]) -> None:
        """Write the parts, and a document that refers to them."""
        whole = {**document, "paths": {}, "components": {**document["components"], "schemas": {}}}
        schemas = document["components"]["schemas"]
        for name, schema in schemas.items():
            _write(folder / "schemas" / f"{name}.json", _relative(schema, "./"))
            whole["components"]["schemas"][name] = {"$ref": f"./schemas/{name}.json"}
        for path, item in document["paths"].items():
            name = path.strip("/").replace("/", "_").replace("{", "").replace("}", "") or "root"
            _write(folder / "paths" / f"{name}.json", _relative(item, "../schemas/"))
            whole["paths"][path] = {"$ref": f"./paths/{name}.json"}
        _write(folder / "openapi.json", whole)
        self.stdout.write(f"wrote {len(document['paths'])} paths and {len(schemas)} schemas")


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _relative(node: Any, folder: str) -> Any:
    """Return a part whose references lead to files."""
    if isinstance(node, dict):
        return {
            key: f"{folder}{value.rpartition('/')[2]}.json"
            if key == "$ref" and isinstance(value, str)
            else _relative(value, folder)
            for key, value in node.items()
        }
    return [_relative(item, folder) for item in node] if isinstance(node, list) else node
