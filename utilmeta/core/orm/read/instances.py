"""Single instances of a model by the value of a unique field, in a statement whose text is kept."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from utilmeta.core.orm.read.keylists import is_static
from utilmeta.core.orm.read.selection import Selection


class InstanceReader:
    """Reads an instance of a model as `manager.get(field=value)` does.

    Args:
        model: the model.
        name: a field that no two rows share, or `pk`.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._model = model
        self._name = name
        self._column = model._meta.pk if name == "pk" else model._meta.get_field(name)

    @cached_property
    def _selection(self) -> Selection | None:
        """The columns of instances; None where Django has to make the statement each time."""
        if not is_static(self._model) or self._column.is_relation:
            return None
        selection = Selection()
        for field in self._model._meta.concrete_fields:
            selection.column(field.attname)
        return selection

    def get(self, value: Any) -> Any:
        """Return the instance whose field has a value; None when there is none, or cannot be.

        Args:
            value: as the column holds it, or as text.
        """
        manager = self._model._default_manager
        try:
            wanted = self._column.to_python(value)
            if wanted is None:
                return None
            if self._selection is None:
                return manager.filter(**{self._name: wanted}).order_by().first()
            using = manager.db
            rows = self._selection.rows_of(self._rows, self._column, [wanted], using)
        except (ValueError, OverflowError, ValidationError):
            return None
        if not rows:
            return None
        names = self._selection.names
        return self._model.from_db(using, names, rows[0])

    def _rows(self, keys: Sequence[Any], using: str | None) -> "QuerySet[Any]":
        rows: QuerySet[Any] = self._model._default_manager.using(using)
        return rows.filter(**{f"{self._name}__in": keys}).order_by()
