"""The endpoint of a list view, with its pages."""

from typing import Any

from rest_framework import pagination

from utilmeta.contrib.rest_framework.porting.source import Source, comment

_LINK = '''\
def link(url: str, **values: object) -> str:
    """Return a URL with other values in its query; None takes one out."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = {**query, **values}
    kept = {name: value for name, value in given.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(sorted(kept.items()))))'''


def list_lines(view: type[Any], schema: str, query: str | None, source: Source) -> list[str]:
    """Return the lines of the endpoint that lists rows.

    Args:
        view: the list view.
        schema: name of the rows' schema.
        query: name of the query; None without one.
        source: the module it is written into.
    """
    paginator = None if view.pagination_class is None else view.pagination_class()
    if query is None:
        return [
            f"    def get(self) -> list[{schema}]:",
            '        """Return the rows."""',
            "        return self.rows()",
        ]
    body = _body_of(paginator, schema)
    if body is None:
        lines = [
            f"    def get(self, query: {query}) -> list[{schema}]:",
            '        """Return the rows that are asked for."""',
        ]
        if paginator is not None:
            told = f"The answers of {type(paginator).__name__} are to be moved by hand."
            lines += comment(told, depth=2)
        return [*lines, "        return query.get_queryset(self.rows())"]
    page = f"{schema.removesuffix('Schema')}Page"
    _write_page(page, schema, source, counted=not isinstance(paginator, _CURSOR))
    if any("NotFound(" in line for line in body):
        source.need("utilmeta.utils.exceptions", "NotFound")
    return [
        f"    def get(self, query: {query}) -> {page}:",
        '        """Return a page of the rows that are asked for."""',
        *(f"        {line}" if line else "" for line in body),
    ]


_CURSOR = pagination.CursorPagination


def _write_page(name: str, schema: str, source: Source, *, counted: bool) -> None:
    """Write the type of a page, and what makes links to others."""
    if name in source.blocks:
        return
    for part in ("parse_qsl", "urlencode", "urlsplit", "urlunsplit"):
        source.need("urllib.parse", part)
    typed = source.need("typing_extensions", "TypedDict")
    source.blocks.setdefault("link", _LINK.splitlines())
    source.add(
        name,
        [
            f"class {name}({typed}):",
            '    """A page of rows, and where the others are."""',
            "",
            *(["    count: int"] if counted else []),
            "    next: str | None",
            "    previous: str | None",
            f"    results: list[{schema}]",
        ],
    )


def _body_of(paginator: Any, schema: str) -> list[str] | None:
    """Return how a page is answered; None for pages of another kind."""
    if isinstance(paginator, pagination.PageNumberPagination) and paginator.page_size:
        return _numbered(paginator, schema)
    if isinstance(paginator, pagination.LimitOffsetPagination) and paginator.default_limit:
        return _by_offset(paginator, schema)
    if isinstance(paginator, _CURSOR) and paginator.page_size:
        return [
            "# Pages by cursor go forwards only.",
            f"rows = {schema}.serialize(query.over(self.rows()))",
            "url, after = self.request.url, rows.next_cursor",
            "return {",
            f'    "next": link(url, {paginator.cursor_query_param}=after) if after else None,',
            '    "previous": None,',
            '    "results": rows,',
            "}",
        ]
    return None


def _numbered(paginator: Any, schema: str) -> list[str]:
    page = paginator.page_query_param
    size = paginator.page_size_query_param or "page_size"
    return [
        "count = query.count(self.rows())",
        f"page, pages = query.{page}, max(1, -(-count // query.{size}))",
        "if page > pages:",
        '    raise NotFound("Invalid page.")',
        "url = self.request.url",
        "before = page - 1 if page > 2 else None",
        "return {",
        '    "count": count,',
        f'    "next": link(url, {page}=page + 1) if page < pages else None,',
        f'    "previous": link(url, {page}=before) if page > 1 else None,',
        f'    "results": {schema}.serialize(query.over(self.rows())),',
        "}",
    ]


def _by_offset(paginator: Any, schema: str) -> list[str]:
    limit, offset = paginator.limit_query_param, paginator.offset_query_param
    return [
        "count = query.count(self.rows())",
        f"limit, offset = query.{limit}, query.{offset}",
        "url = self.request.url",
        "after, before = offset + limit, max(offset - limit, 0) or None",
        f"following = link(url, {limit}=limit, {offset}=after)",
        f"preceding = link(url, {limit}=limit, {offset}=before)",
        "return {",
        '    "count": count,',
        '    "next": following if after < count else None,',
        '    "previous": preceding if offset > 0 else None,',
        f'    "results": {schema}.serialize(query.over(self.rows())),',
        "}",
    ]
