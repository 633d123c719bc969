"""Views whose methods are code of the project's, as classes to be filled by hand."""

import inspect
from typing import Any

from utilmeta.contrib.rest_framework.porting.policies import policy_lines
from utilmeta.contrib.rest_framework.porting.source import Source, comment, docstring

_METHODS = ("get", "post", "put", "patch", "delete")


def api_name(view: type[Any]) -> str:
    """Return the name of the API class that stands for a view."""
    name = view.__name__
    for ending in ("ViewSet", "APIView", "View"):
        name = name.removesuffix(ending)
    return f"{name or view.__name__}API"


def about_lines(view: type[Any]) -> list[str]:
    """Return the docstring of the API class that stands for a view."""
    text = inspect.cleandoc(vars(view).get("__doc__") or "")
    return docstring(text or f"What {view.__name__} answered.")


def stub_lines(view: type[Any], name: str, head: list[str]) -> list[str]:
    """Return an endpoint that stands for code of the project's.

    Args:
        view: the class that holds it.
        name: of the method.
        head: its decorator and `def` line.
    """
    function = getattr(view, name)
    text = inspect.cleandoc(getattr(function, "__doc__", None) or "")
    where = f"{view.__name__}.{name}"
    return [
        *comment(f"{where} is code of its own, which is to be moved here by hand."),
        *head,
        *docstring(text or f"Do what {where} did.", depth=2),
        f'        raise NotImplementedError("{where}")',
    ]


def write_stub(view: type[Any], source: Source) -> None:
    """Write the API class that stands for a view of methods."""
    name = api_name(view)
    source.need("utilmeta.core", "api")
    kind = source.need("typing", "Any")
    lines = [*policy_lines(view, source), f"class {name}(api.API):", *about_lines(view)]
    for method in _METHODS:
        if hasattr(view, method):
            lines += ["", *stub_lines(view, method, [f"    def {method}(self) -> {kind}:"])]
    source.add(name, lines)
