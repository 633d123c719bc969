"""Errors of schemas that are answers as well."""

from utilmeta.utils.exceptions import NotFound, OrmError


class EmptyQueryset(NotFound, OrmError):  # noqa: N818 - public name
    """404: no row fits."""
