"""Members of records that Python computes: functions over keys, and properties of models."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet

from utilmeta.core.orm.keys import key_of
from utilmeta.core.orm.read.plan import Related, in_batches
from utilmeta.core.orm.read.records import Path, Reading, Shape
from utilmeta.core.orm.read.selection import Row
from utilmeta.core.orm.relations import find_field, is_many
from utilmeta.utils.exceptions import ConfigError, OrmError

# Database and key of a row; None for the database that is read.
_Named = tuple[str | None, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """Values that a function gives for the keys of all rows at once.

    Attributes:
        where: the schema's field.
        outputs: its name in the record.
        key: place of the row's key.
        call: takes keys and returns a dictionary from them to values.
        related: reads the rows whose keys the values are; None for plain values.
        model: their model.
        many: whether each value is a list.
    """

    where: str
    outputs: tuple[str, ...]
    key: int
    call: Callable[..., Any]
    related: Related | None = None
    model: type[Model] | None = None
    many: bool = False

    def values(
        self, rows: list[Row], reading: Reading, paths: list[Path] | None
    ) -> Iterable[tuple[Any, ...]]:
        """Return the value of each row; an empty list, or None, where the function gave none."""
        keys = [row[self.key] for row in rows]
        given = self.call(*dict.fromkeys(key for key in keys if key is not None))
        if not isinstance(given, Mapping):
            raise OrmError(
                f"{self.where}: the function should return a dictionary from keys to values, got "
                f"{type(given).__name__}"
            )
        if self.related is None:
            empty: Any = list if self.many else lambda: None
            return [(given[key] if key in given else empty(),) for key in keys]
        return self._nested(self.related, self._named(keys, given), reading, paths)

    def _named(self, keys: list[Any], given: Mapping[Any, Any]) -> list[list[_Named]]:
        """Return database and key of the rows that each row is given."""
        model: Any = self.model
        named = {
            key: [key_of(self.where, model, item) for item in self._listed(given.get(key))]
            for key in dict.fromkeys(keys)
        }
        return [[item for item in named[key] if item is not None] for key in keys]

    def _nested(
        self,
        related: Related,
        named: list[list[_Named]],
        reading: Reading,
        paths: list[Path] | None,
    ) -> list[tuple[Any, ...]]:
        flat = [(place, item) for place, items in enumerate(named) for item in items]
        found: list[list[Any]] = [[] for _ in flat]
        for alias in dict.fromkeys(alias or reading.using for _, (alias, _) in flat):
            # Instances bring the database they are from.
            inner = reading if alias == reading.using else Reading(alias, reading.nested)
            mine = [i for i, (_, item) in enumerate(flat) if (item[0] or reading.using) == alias]
            wanted = [flat[index][1][1] for index in mine]
            if paths is None:
                by_key = related.gather(wanted, inner)
                lists = [by_key.get(key) or [] for key in wanted]
            else:
                above = [paths[flat[index][0]] for index in mine]
                lists = related.gather_paths(list(zip(wanted, above, strict=True)), inner)
            for index, items in zip(mine, lists, strict=True):
                found[index] = items
        made: list[list[Any]] = [[] for _ in named]
        for (place, _), items in zip(flat, found, strict=True):
            made[place] += items
        if self.many:
            return [(items,) for items in made]
        return [(items[0] if items else None,) for items in made]

    def _listed(self, value: Any) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, QuerySet):
            raise OrmError(
                f"{self.where}: a queryset for each key would be a statement for each; return keys "
                "or instances"
            )
        return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]

    def written(self, _writing: Any) -> str | None:
        """Return nothing: its values are asked for."""
        return None

    def inner(self) -> "Iterator[Related | Shape]":
        """Yield what reads the rows; what the function does is its own."""
        if self.related is not None:
            yield self.related


def bound_function(source: Any, schema: Any, where: str) -> Callable[..., Any]:
    """Return a field's function as one of keys alone.

    Raises:
        ConfigError: it is async, which a read cannot wait for.
    """
    if isinstance(source, classmethod | staticmethod):
        function: Callable[..., Any] = source.__get__(None, schema)
        raw = source.__func__
    else:
        function = raw = source
        names = list(inspect.signature(source).parameters)
        if names and names[0] == "cls":
            plain = source

            def function(*keys: Any) -> Any:
                return plain(schema, *keys)

    if inspect.iscoroutinefunction(raw):
        raise ConfigError(f"{where}: the function is async; a read is done on one thread")
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """Python properties of the model, for which instances are read beside the rows.

    Attributes:
        where: the schema, for messages.
        outputs: their names in the record.
        names: their names on the model.
        key: place of the row's key.
        model: the model.
        needs: relations that they use.
    """

    where: str
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    key: int
    model: type[Model]
    needs: tuple[str, ...] = ()

    def queryset(self) -> "QuerySet[Any]":
        """Return what reads the instances, with the relations that are needed."""
        singles: list[str] = []
        many: list[str] = []
        for need in self.needs:
            (many if self._leads_to_many(need) else singles).append(need)
        rows: QuerySet[Any] = self.model._base_manager.all()
        if singles:
            rows = rows.select_related(*singles)
        return rows.prefetch_related(*many)

    def _leads_to_many(self, need: str) -> bool:
        model: Any = self.model
        for name in need.split("__"):
            field = find_field(model, name)
            if field is None or not field.is_relation:
                raise ConfigError(f"{self.where}: needs={need!r} is no relation")
            if is_many(field):
                return True
            model = field.related_model
        return False

    def values(
        self, rows: list[Row], reading: Reading, _paths: list[Path] | None
    ) -> Iterable[tuple[Any, ...]]:
        """Return the properties of each row's instance.

        Raises:
            OrmError: a property reads from the database, once for each row.
        """
        keys = [row[self.key] for row in rows]
        queryset = self.queryset().using(reading.using)
        found = {
            instance.pk: instance
            for some in in_batches(keys)
            for instance in queryset.filter(pk__in=some)
        }
        connection = connections[reading.using or "default"]
        made: dict[Any, tuple[Any, ...]] = {}
        with connection.execute_wrapper(self._refuse):
            for key, instance in found.items():
                made[key] = tuple(getattr(instance, name) for name in self.names)
        absent = (None,) * len(self.names)
        return [made.get(key, absent) for key in keys]

    def _refuse(self, *_args: Any) -> Any:
        raise OrmError(
            f"{self.where}: one of the properties {', '.join(self.names)} of "
            f"{self.model.__name__} reads from the database for each row; name the relations it "
            "uses: orm.Field(needs=['author'])"
        )

    def written(self, _writing: Any) -> str | None:
        """Return nothing: its values are asked for."""
        return None

    def inner(self) -> "Iterator[Related | Shape]":
        """Yield nothing: instances are read whole."""
        return iter(())
