"""Templates of files, by Django's engine."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.template.base import Origin
from django.template.loaders.filesystem import Loader

FOLDER = Path(__file__).parent / "templates"
# A line that holds tags alone leaves nothing behind.
_TAGS = re.compile(r"^[ \t]*((?:\{%[^\n]*?%\}|\{#[^\n]*?#\})+)[ \t]*\n", re.MULTILINE)


class TrimmingLoader(Loader):
    """Django's loader of files, for texts in which lines count."""

    def get_contents(self, origin: Origin) -> str:
        """Return a template's text, without the ends of lines that hold tags alone."""
        return _TAGS.sub(r"\1", super().get_contents(origin))


@cache
def _engine() -> Engine:
    name = f"{TrimmingLoader.__module__}.{TrimmingLoader.__qualname__}"
    # What is written is no HTML.
    return Engine(dirs=[str(FOLDER)], loaders=[name], autoescape=False, string_if_invalid="%%")


def render_template(name: str, values: dict[str, Any]) -> str:
    """Return a template's text with values in it.

    Args:
        name: its file's.
        values: names to values.
    """
    text: str = _engine().get_template(name).render(Context(values, autoescape=False))
    return text.rstrip("\n") + "\n"
