"""View sets and generic views as API classes over schemas and queries."""

import re
from typing import Any

from rest_framework import mixins
from rest_framework.generics import GenericAPIView

from utilmeta.contrib.rest_framework.documents import serializer_of
from utilmeta.contrib.rest_framework.porting.columns import column_at, manager_of, type_of
from utilmeta.contrib.rest_framework.porting.paging import list_lines
from utilmeta.contrib.rest_framework.porting.policies import policy_lines
from utilmeta.contrib.rest_framework.porting.queries import write_query
from utilmeta.contrib.rest_framework.porting.schemas import SchemaWriter
from utilmeta.contrib.rest_framework.porting.source import Source, call, comment
from utilmeta.contrib.rest_framework.porting.views import about_lines, api_name, stub_lines

_ACTIONS = ("list", "create", "retrieve", "update", "partial_update", "destroy")
_HOOKS = {
    "create": "perform_create",
    "update": "perform_update",
    "partial_update": "perform_update",
    "destroy": "perform_destroy",
}
_VERBS = {"create": "post", "update": "put", "partial_update": "patch", "destroy": "delete"}


def write_viewset(cls: type[Any], source: Source, schemas: SchemaWriter) -> None:
    """Write the API class that stands for a view set, with its schemas and its query."""
    _Writer(cls, source, schemas).write()


class _Writer:
    """Writes one API class.

    Args:
        cls: the view set, or generic view.
        source: the module it is written into.
        schemas: writes the schemas.
    """

    def __init__(self, cls: type[Any], source: Source, schemas: SchemaWriter) -> None:
        self._cls = cls
        self._source = source
        self._schemas = schemas
        self._model = _model_of(cls)
        self._name = api_name(cls)
        lookup = cls.lookup_field
        self._lookup = lookup
        self._variable = cls.lookup_url_kwarg or lookup
        column = None if self._model is None else column_at(self._model, lookup)
        self._kind = "str" if column is None else type_of(column, source)

    def write(self) -> None:
        """Write the class behind what it needs."""
        source = self._source
        source.need("utilmeta.core", "api")
        actions = [name for name in _ACTIONS if hasattr(self._cls, name)]
        standard = [name for name in actions if self._is_standard(name)]
        body: list[str] = []
        if standard and self._model is not None:
            body += ["", *self._rows()]
        for name in actions:
            if name in standard:
                body += ["", *getattr(self, f"_{name}")()]
            elif name == "partial_update" and "update" in actions and self._is_mixin(name):
                continue
            else:
                body += ["", *stub_lines(self._cls, name, self._stub_head(name))]
        for action in self._extras():
            body += ["", *self._extra(action)]
        # What it needs has been written by now.
        lines = [
            *policy_lines(self._cls, source),
            f"class {self._name}(api.API):",
            *about_lines(self._cls),
            *body,
        ]
        source.add(self._name, lines)

    def _is_mixin(self, name: str) -> bool:
        function = getattr(self._cls, name)
        return bool(function.__module__ == mixins.__name__)

    def _is_standard(self, name: str) -> bool:
        """Return whether an action is REST framework's own, over a serializer of a model."""
        if not self._is_mixin(name) or self._model is None:
            return False
        if name == "partial_update" and not self._is_mixin("update"):
            return False
        if name == "destroy":
            return True
        serializer = self._serializer(name)
        model = getattr(getattr(serializer, "Meta", None), "model", None)
        return serializer is not None and model is not None

    def _serializer(self, action: str) -> type[Any] | None:
        view = self._cls()
        view.request, view.args, view.kwargs, view.format_kwarg = None, (), {}, None
        view.action = action
        return serializer_of(view)

    def _schema(self, action: str) -> str:
        serializer = self._serializer(action)
        assert serializer is not None  # noqa: S101 - asked for of standard actions only
        return self._schemas.write(serializer)

    def _rows(self) -> list[str]:
        """Return the method that gives the rows that are shown."""
        source, model = self._source, self._model
        kind = f"{source.need('django.db.models', 'QuerySet')}[{source.need_object(model)}]"
        lines = [f"    def rows(self) -> {kind}:", '        """Return the rows there are."""']
        queryset = self._cls.queryset
        told = []
        if self._cls.get_queryset is not GenericAPIView.get_queryset:
            told.append(f"{self._cls.__name__}.get_queryset is to be moved here.")
        elif queryset is not None and (queryset.query.where or queryset.query.annotations):
            told.append(f"{self._cls.__name__}.queryset chooses rows; say here how.")
        for text in told:
            lines += comment(text, depth=2)
        rows = f"{manager_of(model, source)}.all()"
        order = () if queryset is None else queryset.query.order_by
        if order and all(isinstance(item, str) for item in order):
            names = ", ".join(f'"{item}"' for item in order)
            rows += f".order_by({names})"
        return [*lines, f"        return {rows}"]

    def _list(self) -> list[str]:
        schema = self._schema("list")
        query = write_query(self._cls, self._model, self._source, self._serializer("list"))
        return list_lines(self._cls, schema, query, self._source)

    def _retrieve(self) -> list[str]:
        return [
            f'    @api.get("{{{self._variable}}}")',
            f"    def retrieve({self._self_and_key}) -> {self._schema('retrieve')}:",
            '        """Return one row."""',
            f"        return {self._schema('retrieve')}.init({self._chosen})",
        ]

    @property
    def _self_and_key(self) -> str:
        return f"self, {self._variable}: {self._kind}"

    @property
    def _chosen(self) -> str:
        return f"self.rows().filter({self._lookup}={self._variable})"

    def _hooked(self, action: str) -> list[str]:
        """Return what is told of a method of the project's that an action calls."""
        name = _HOOKS[action]
        function = getattr(self._cls, name)
        if function.__module__ == mixins.__name__:
            return []
        return comment(f"{self._cls.__name__}.{name} is to be moved here by hand.", depth=2)

    def _create(self) -> list[str]:
        schema = self._schema("create")
        data = self._annotated(schema, "A")
        return [
            '    @api.post("", status=201)',
            call("def create", ["self", f"data: {data}"], closing=f") -> {schema}:"),
            '        """Make a row."""',
            *self._hooked("create"),
            "        return data.save()",
        ]

    def _annotated(self, schema: str, mode: str) -> str:
        return f"{self._source.need('typing', 'Annotated')}[{schema}, orm.{mode}]"

    def _changed(self, action: str, mode: str, text: str) -> list[str]:
        schema = self._schema(action)
        key = self._source.need("django.shortcuts", "get_object_or_404")
        return [
            f'    @api.{_VERBS[action]}("{{{self._variable}}}")',
            call(
                f"def {action}",
                [
                    "self",
                    f"{self._variable}: {self._kind}",
                    f"data: {self._annotated(schema, mode)}",
                ],
                closing=f") -> {schema}:",
            ),
            f'        """{text}"""',
            *self._hooked(action),
            call(
                f"    data.pk = {key}",
                ["self.rows()", f"{self._lookup}={self._variable}"],
                closing=").pk",
            ),
            "        return data.save()",
        ]

    def _update(self) -> list[str]:
        return self._changed("update", "W", "Change a row.")

    def _partial_update(self) -> list[str]:
        return self._changed("partial_update", "WP", "Change parts of a row.")

    def _destroy(self) -> list[str]:
        key = self._source.need("django.shortcuts", "get_object_or_404")
        return [
            f'    @api.delete("{{{self._variable}}}")',
            f"    def destroy({self._self_and_key}) -> None:",
            '        """Delete a row."""',
            *self._hooked("destroy"),
            f"        {key}(self.rows(), {self._lookup}={self._variable}).delete()",
        ]

    def _stub_head(self, name: str) -> list[str]:
        kind = self._source.need("typing", "Any")
        verb = _VERBS.get(name, "get")
        if name in {"list", "create"}:
            return [f'    @api.{verb}("")', f"    def {_free(name)}(self) -> {kind}:"]
        return [
            f'    @api.{verb}("{{{self._variable}}}")',
            f"    def {name}({self._self_and_key}) -> {kind}:",
        ]

    def _extras(self) -> list[Any]:
        find = getattr(self._cls, "get_extra_actions", None)
        return [] if find is None else list(find())

    def _extra(self, action: Any) -> list[str]:
        """Return the endpoints that stand for what `@action` declares, one for each method."""
        kind = self._source.need("typing", "Any")
        path, variables = _template(action.url_path)
        parameters = ["self"]
        if action.detail:
            path = f"{{{self._variable}}}/{path}"
            parameters.append(f"{self._variable}: {self._kind}")
        parameters += [f"{name}: str" for name in variables]
        lines: list[str] = []
        taken: set[str] = set()
        for verb, name in action.mapping.items():
            own = f"{name}_{verb}" if name in taken else _free(name)
            taken.add(name)
            head = [
                f'    @api.{verb}("{path}")',
                call(f"def {own}", parameters, closing=f") -> {kind}:"),
            ]
            lines += [*([""] if lines else []), *stub_lines(self._cls, name, head)]
        return lines


def _free(name: str) -> str:
    """Return a name for an endpoint: that of a verb is its own, and `list` hides a type."""
    return f"{name}_rows" if name == "list" else name


def _template(url_path: str) -> tuple[str, list[str]]:
    """Return the path of an extra action with its variables in braces, and their names."""
    found: list[str] = []

    def take(match: re.Match[str]) -> str:
        found.append(match[1])
        return f"{{{match[1]}}}"

    return re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", take, url_path), found


def _model_of(cls: type[Any]) -> Any:
    queryset = getattr(cls, "queryset", None)
    if queryset is not None:
        return queryset.model
    serializer = getattr(cls, "serializer_class", None)
    return getattr(getattr(serializer, "Meta", None), "model", None)
