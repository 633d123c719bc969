"""The `utilmeta` command: Django's management commands for a service without `manage.py`."""

import os
import sys
from pathlib import Path

from utilmeta.conf import current
from utilmeta.utils.exceptions import UtilMetaError
from utilmeta.utils.references import load_reference

VARIABLE = "UTILMETA_SERVICE"
_GUESSES = ("server", "main", "service", "app")


def main(arguments: list[str] | None = None) -> None:
    """Find the service, set it up and run a management command.

    Args:
        arguments: those after the command's name; None takes the process's.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.path.insert(0, str(Path.cwd()))
    try:
        _set_up(_take_reference(given))
    except UtilMetaError as exc:
        sys.stderr.write(f"utilmeta: {exc}\n")
        raise SystemExit(2) from exc
    from django.core.management import execute_from_command_line

    execute_from_command_line(["utilmeta", *given])


def _take_reference(given: list[str]) -> str:
    for index, argument in enumerate(given):
        if argument == "--service":
            if index + 1 == len(given):
                raise UtilMetaError("--service: expected a reference, such as server:service")
            reference = given[index + 1]
            del given[index : index + 2]
            return reference
        if argument.startswith("--service="):
            del given[index]
            return argument.partition("=")[2]
    named = os.environ.get(VARIABLE)
    if named:
        return named
    for guess in _GUESSES:
        if Path(f"{guess}.py").is_file():
            return guess
    raise UtilMetaError(
        f"which service? give --service server:service, or set {VARIABLE}; none of "
        f"{', '.join(guess + '.py' for guess in _GUESSES)} is in {Path.cwd()}"
    )


def _set_up(reference: str) -> None:
    has_attribute = "." in reference or ":" in reference
    load_reference(reference if has_attribute else f"{reference}:__name__", what="--service")
    service = current.get()
    if service is None:
        raise UtilMetaError(f"{reference!r} was imported but made no service")
    service.setup()
