"""Where a service answers with its own description: for programs, and as pages for people."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from utilmeta.core.api.base import API
from utilmeta.core.api.decorators import get, route
from utilmeta.core.api.plugins import Cache
from utilmeta.core.api.specs.yaml import to_yaml
from utilmeta.core.response import Response
from utilmeta.utils.exceptions import NotFound

ASSETS = Path(__file__).parent / "swagger"
_FILES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}

# All that the page needs and nothing else: no inline code, nothing from other sites.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}docs/swagger-ui.css">
</head>
<body>
<div id="docs" data-url="{base}{document}"></div>
<script src="{base}docs/swagger-ui-bundle.js"></script>
<script src="{base}docs/docs.js"></script>
</body>
</html>
"""


def make_docs_api(
    document: Callable[[], dict[str, Any]], *, path: str = "openapi.json", ui: bool = True
) -> type[API]:
    """Return an API class that answers with a document.

    Args:
        document: makes it; called for each request, so it should be kept.
        path: where it answers as JSON; the same with `.yaml` answers as YAML.
        ui: whether `docs` shows it to people.
    """
    stem = path.strip("/").removesuffix(".json")

    @Cache("no-cache")
    @route("", private=True)
    class DescriptionAPI(API):
        """The service's description."""

        @get(f"{stem}.json")
        def as_json(self) -> dict[str, Any]:
            """Return the document as JSON."""
            return document()

        @get(f"{stem}.yaml")
        def as_yaml(self) -> Response[str]:
            """Return the document as YAML."""
            return Response(to_yaml(document()), content_type="application/yaml")

    if not ui:
        return DescriptionAPI

    @route("", private=True)
    class DocsAPI(DescriptionAPI):
        """The service's description, and pages that show it."""

        @get("docs")
        def page(self) -> Response[str]:
            """Return the page."""
            title = html.escape(str(document()["info"]["title"]))
            above = self.request.path.strip("/").rpartition("docs")[0]
            base = html.escape(f"{self.request.raw.prefix}/{above}")
            text = _PAGE.format(title=title, base=base, document=f"{stem}.json")
            headers = {
                "Content-Security-Policy": POLICY,
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            }
            return Response(text, headers=headers, content_type="text/html; charset=utf-8")

        @get("docs/{name}")
        def asset(self, name: str) -> Response[Any]:
            """Return a file of the page."""
            if name not in _FILES:
                raise NotFound
            headers = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
            return Response(file=ASSETS / name, headers=headers, content_type=_FILES[name])

    return DocsAPI


def write_document(document: dict[str, Any], *, as_yaml: bool = False) -> str:
    """Return a document as text, for files: its members in their order, two spaces deep."""
    return (
        to_yaml(document) if as_yaml else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    )
