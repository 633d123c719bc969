"""Routers that take API classes beside view sets."""

from typing import Any

from rest_framework.routers import DefaultRouter

from utilmeta.core.api import API


class APIRoutes:
    """Mixed into a router class, before it: `register` takes API classes too.

    An API class answers at its prefix and below it, is reversed by the name `<basename>-list`, and
    stands in the router's root listing.
    """

    registry: list[tuple[str, Any, str]]

    def register(self, prefix: str, viewset: Any, basename: str | None = None) -> None:
        """Take in a view set, or an API class.

        Args:
            prefix: path below the router's.
            viewset: the class.
            basename: beginning of its URL patterns' names; for an API class the prefix without one.
        """
        router: Any = super()
        if _is_api(viewset) and basename is None:
            basename = prefix.strip("/").replace("/", "-")
        router.register(prefix, viewset, basename)

    def get_urls(self) -> list[Any]:
        """Return the URL patterns of view sets and API classes."""
        registry = self.registry
        router: Any = super()
        self.registry = [entry for entry in registry if not _is_api(entry[1])]
        try:
            # The root view, too, is made here; it is told of all.
            self._listed = registry
            urls: list[Any] = router.get_urls()
        finally:
            self.registry = registry
        return [*urls, *(pattern for entry in registry for pattern in _patterns(*entry))]

    def get_api_root_view(self, api_urls: Any = None) -> Any:
        """Return the root view, which lists API classes too."""
        own = self.registry
        router: Any = super()
        self.registry = getattr(self, "_listed", own)
        try:
            return router.get_api_root_view(api_urls=api_urls)
        finally:
            self.registry = own


class Router(APIRoutes, DefaultRouter):  # type: ignore[misc]
    """REST framework's `DefaultRouter`, which takes API classes too."""


def _is_api(viewset: Any) -> bool:
    return isinstance(viewset, type) and issubclass(viewset, API)


def _patterns(prefix: str, api: Any, basename: str) -> list[Any]:
    """Return the URL patterns of an API class; of another class none."""
    if not _is_api(api):
        return []
    from django.urls import path

    pattern = api.__as__("django", prefix)
    # What is reversed has the slash that the router's other names have.
    named = path(f"{prefix.strip('/')}/", pattern.callback, name=f"{basename}-list")
    return [named, pattern]
