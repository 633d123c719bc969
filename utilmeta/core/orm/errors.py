"""Errors of schemas and queries that are answers as well."""

from utilmeta.utils.exceptions import BadRequest, Conflict, NotFound, OrmError


class EmptyQueryset(NotFound, OrmError):  # noqa: N818 - public name
    """404: no row fits."""


class MissingPrimaryKey(BadRequest, OrmError):  # noqa: N818 - public name
    """400: an update does not say of which row."""


class UpdateFailed(Conflict, OrmError):  # noqa: N818 - public name
    """409: the row was changed or deleted meanwhile."""
