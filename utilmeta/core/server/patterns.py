"""Django URL patterns of what is mounted, and how they get into the project's."""

import inspect
from collections.abc import Collection, Iterator
from typing import Any

from utilmeta.utils.exceptions import ConfigError


def view_class_of(view: Any) -> type | None:
    """Return the class that a view function was made of by `as_view`, None for others."""
    if not inspect.isfunction(view):
        return None
    found = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return found if isinstance(found, type) else None


def patterns_of(app: Any) -> Any:
    """Return the Django URL patterns below the route of what is mounted by them.

    Args:
        app: an object with `urls`, URL patterns, or a class-based view, which answers at the route
            itself with a slash behind it and without.

    Raises:
        ConfigError: a view cannot be made of the class.
    """
    from django.urls import path

    if isinstance(app, list):
        return app
    if not isinstance(app, type) and view_class_of(app) is None:
        return app.urls
    try:
        view: Any = app.as_view() if isinstance(app, type) else app  # type: ignore[attr-defined]
    except TypeError as exc:
        raise ConfigError(
            f"service.mount({app!r}): no view can be made of it: {exc}; mount a router, or what "
            "as_view({'get': 'list'}) returns"
        ) from exc
    return [path("", view)]


def as_patterns(urls: Any, route: str, *, exact: bool = False) -> list[Any]:
    """Return Django URL patterns for what an object's `urls` holds, below a route.

    Args:
        urls: URL patterns, or a triple of them, application name and namespace.
        route: where they are.
        exact: whether the first of them answers at the route itself too, without a slash.
    """
    from django.urls import include, path

    place = route.strip("/")
    prefix = f"{place}/" if place else ""
    if isinstance(urls, tuple) and len(urls) == 3:
        return [path(prefix, urls)]
    bare = [path(place, urls[0].callback)] if exact and place else []
    return [*bare, path(prefix, include(urls))]


def views_of(patterns: Any) -> Iterator[Any]:
    """Yield the views that URL patterns lead to, however deep."""
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views_of(pattern.url_patterns)
        else:
            yield pattern.callback


def connect_patterns(missing: list[Any], views: Collection[Any]) -> None:
    """Put patterns at the end of the project's URLconf, unless it leads to the views already."""
    from django.urls import clear_url_caches, get_resolver

    patterns: list[Any] = get_resolver().url_patterns
    if missing and not any(view in views for view in views_of(patterns)):
        patterns.extend(missing)
        clear_url_caches()
