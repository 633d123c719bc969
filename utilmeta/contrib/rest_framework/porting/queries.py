"""What clients may ask a list view for, as the source of a query."""

from collections.abc import Iterator
from typing import Any

from rest_framework import filters, pagination

from utilmeta.contrib.rest_framework.porting.columns import column_at, type_of
from utilmeta.contrib.rest_framework.porting.source import (
    Source,
    call,
    comment,
    docstring,
    quoted,
)

_PREFIXES = "^=@$"


def write_query(
    view: type[Any], model: Any, source: Source, serializer: type[Any] | None
) -> str | None:
    """Return the name of the query that is written for a view; None when it takes nothing.

    Args:
        view: the class.
        model: its model.
        source: the module it is written into.
        serializer: what its rows are shown by.
    """
    lines = [
        *_filters(view, model, source),
        *_search(view),
        *_ordering(view, serializer),
        *_pages(view),
    ]
    if not lines:
        return None
    name = f"{view.__name__.removesuffix('ViewSet').removesuffix('View')}Query"
    source.need("utilmeta.core", "orm")
    head = [
        f"class {name}(orm.Query[{source.need_object(model)}]):",
        *docstring(f"What may be asked of {view.__name__}."),
        "",
        *comment("Other names are left alone, as by REST framework; a query refuses them else."),
        '    model_config = {"extra": "ignore"}',
        "",
    ]
    source.add(name, [*head, *lines])
    return name


def _has(view: type[Any], kind: type[Any]) -> bool:
    return any(issubclass(backend, kind) for backend in view.filter_backends)


def _filters(view: type[Any], model: Any, source: Source) -> Iterator[str]:
    """Yield the fields of django-filter's short form."""
    given = getattr(view, "filterset_fields", None) or {}
    wanted = given if isinstance(given, dict) else {name: ["exact"] for name in given}
    if getattr(view, "filterset_class", None) is not None:
        yield from comment(f"{view.filterset_class.__name__} is to be moved here by hand.")
    for path, lookups in wanted.items():
        column = column_at(model, path)
        for lookup in lookups:
            name = path if lookup == "exact" else f"{path}__{lookup}"
            if column is None or lookup in {"range", "regex", "iregex"}:
                yield from comment(f"{name} is to be moved by hand.")
                continue
            kind = type_of(column, source)
            if lookup == "isnull":
                kind = "bool"
            elif lookup == "in":
                kind = f"list[{kind}]"
            where = path.replace("__", ".")
            whole = where if lookup == "exact" else f"{where}__{lookup}"
            if whole == name and "__" not in path:
                yield f"    {name}: {kind}"
            else:
                yield call(f"{name}: {kind} = orm.Filter", [quoted(whole)])


def _search(view: type[Any]) -> Iterator[str]:
    given = getattr(view, "search_fields", None) or ()
    if not given or not _has(view, filters.SearchFilter):
        return
    if any(name[0] in _PREFIXES for name in given):
        yield from comment(
            "search_fields had prefixes; here each word is looked for anywhere in the columns."
        )
    paths = [quoted(name.lstrip(_PREFIXES).replace("__", ".")) for name in given]
    yield call(f"{filters.SearchFilter.search_param}: str = orm.Search", paths)


def _ordering(view: type[Any], serializer: type[Any] | None) -> Iterator[str]:
    if not _has(view, filters.OrderingFilter):
        return
    given = getattr(view, "ordering_fields", None)
    model = view.queryset.model if view.queryset is not None else None
    if given == "__all__" and model is not None:
        names = [column.name for column in model._meta.concrete_fields]  # noqa: SLF001
    elif given is None and serializer is not None:
        found = serializer().fields.items()
        names = [
            field.source.replace(".", "__")
            for _, field in found
            if not field.write_only
            and field.source != "*"
            and model is not None
            and _is_column(model, field.source)
        ]
    else:
        names = [name if isinstance(name, str) else name[0] for name in given or ()]
    default = getattr(view, "ordering", None)
    texts = (default,) if isinstance(default, str) else tuple(default or ())
    names = list(dict.fromkeys([*names, *(text.lstrip("-") for text in texts)]))
    if not names:
        return
    if any("__" in name for name in names):
        items = [f"{quoted(name)}: {quoted(name.replace('__', '.'))}" for name in names]
        orders = "{" + ", ".join(items) + "}"
    else:
        orders = f"[{', '.join(map(quoted, names))}]"
    options = [orders]
    if texts:
        options.append(f"default={quoted(','.join(texts))}")
    name = filters.OrderingFilter.ordering_param
    yield call(f"{name}: list[str] = orm.OrderBy", options)


def _is_column(model: Any, path: str) -> bool:
    column = column_at(model, path)
    return column is not None and getattr(column, "concrete", False)


def _pages(view: type[Any]) -> Iterator[str]:
    kind = view.pagination_class
    if kind is None:
        return
    made = kind()
    if isinstance(made, pagination.PageNumberPagination) and made.page_size:
        size = made.page_size
        yield call(f"{made.page_query_param}: int = orm.Page", ["1"])
        most = f", le={made.max_page_size}" if made.max_page_size else ""
        if made.page_size_query_param:
            yield f"    {made.page_size_query_param}: int = orm.Limit({size}, ge=1{most})"
        else:
            yield from comment("Clients have no say in the length of a page.")
            yield f"    page_size: int = orm.Limit({size}, ge={size}, le={size})"
    elif isinstance(made, pagination.LimitOffsetPagination) and made.default_limit:
        most = f", le={made.max_limit}" if made.max_limit else ""
        yield f"    {made.limit_query_param}: int = orm.Limit({made.default_limit}, ge=1{most})"
        yield f"    {made.offset_query_param}: int = orm.Offset(0)"
    elif isinstance(made, pagination.CursorPagination) and made.page_size:
        size = made.page_size
        yield f"    {made.cursor_query_param}: str = orm.Cursor()"
        yield f"    page_size: int = orm.Limit({size}, ge={size}, le={size})"
