"""Text search over columns."""

import re
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from django.db import connections, router
from django.db.models import Model, Q, QuerySet

from utilmeta.core.orm.query.declared import SearchIn
from utilmeta.core.orm.query.filters import column_at, read_path, restricted
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.orm.query.compiled import Step

# What the rank of a row is called in a statement.
RANK = "_utilmeta_rank"
_VECTOR = "_utilmeta_vector"

# Words that one search may have; each is a condition on each column.
MAX_WORDS = 10
_WORD = re.compile(r'"([^"]+)"|(\S+)')


def make_search(marker: SearchIn, model: type[Model], where: str) -> "Step":
    """Return what a search does.

    Raises:
        ConfigError: a path is none of the model's.
    """
    paths = [read_path(path, model, where) for path in marker.paths]
    for (path, lookups, _), given in zip(paths, marker.paths, strict=True):
        if lookups or column_at(model, path).is_relation:
            raise ConfigError(f"{where}: {given!r} is no column to search")
    names = ["__".join(path) for path, _, _ in paths]
    if marker.match_mode == "full_text":
        using = router.db_for_read(model)
        if connections[using].vendor != "postgresql":
            raise ConfigError(
                f"{where}: full text search needs PostgreSQL; use match_mode='all' on "
                f"{connections[using].vendor}"
            )
        if any(crosses for _, _, crosses in paths):
            raise ConfigError(f"{where}: full text search takes columns of one row only")
        return _full_text(marker, names)
    crosses = any(item for _, _, item in paths)
    join = and_ if marker.match_mode == "all" else or_

    def step(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        words = words_of(value or "")
        if not words:
            return rows
        found = [reduce(or_, (Q(**{f"{n}__icontains": word}) for n in names)) for word in words]
        if join is and_:
            # One after the other: different words may be in different related rows.
            for condition in found:
                rows = restricted(rows, condition, model, crosses=crosses)
            return rows
        return restricted(rows, reduce(or_, found), model, crosses=crosses)

    return step


def words_of(text: str) -> list[str]:
    """Return the words of a search; a phrase in quotation marks is one."""
    found = (phrase or word.strip('"') for phrase, word in _WORD.findall(text))
    return [word for word in found if word.strip()]


def _full_text(marker: SearchIn, names: list[str]) -> "Step":
    def step(rows: "QuerySet[Any]", value: Any) -> "QuerySet[Any]":
        if not (value or "").strip():
            return rows
        from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector

        asked = SearchQuery(value, config=marker.config, search_type="websearch")
        vector = SearchVector(*names, config=marker.config)
        rows = rows.alias(**{_VECTOR: vector}).filter(**{_VECTOR: asked})
        ranked: QuerySet[Any] = rows.alias(**{RANK: SearchRank(vector, asked)})
        return ranked

    return step
