"""What the fields of a query do, as declarations."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

import pydantic
from django.db.models import Q
from pydantic.fields import FieldInfo
from pydantic_core import MISSING, PydanticUndefined

from utilmeta.core.orm.fields import check_options, is_expression
from utilmeta.utils.exceptions import ConfigError

# Rows and pages beyond these numbers are not there; databases count with 64 bits.
MAX_ROWS = 10**9
MAX_OFFSET = 10**15

MatchMode = Literal["all", "any", "full_text"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilterBy:
    """A filter.

    Attributes:
        source: path with lookups, or an expression; None for the field's own name.
        query: makes a condition of the value, or is the condition of True.
        lookup: Django lookup by which an expression is compared.
    """

    source: Any = None
    query: "Callable[[Any], Any] | Q | None" = None
    lookup: str = "exact"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchIn:
    """A text search.

    Attributes:
        paths: the columns that are searched.
        match_mode: whether all words have to be found, any of them, or PostgreSQL decides.
        config: PostgreSQL's text search configuration, such as `english`.
        rank: whether full text results come best first when no order is asked for.
    """

    paths: tuple[str, ...]
    match_mode: MatchMode
    config: str | None
    rank: bool


@dataclass(frozen=True, slots=True)
class Order:
    """How rows are ordered by one name of `orm.OrderBy`.

    Args:
        field: path of a column, or an expression; None for the name itself.
        asc: whether ascending order (`views`) may be asked for.
        desc: whether descending order (`-views`) may be asked for.
        nulls_first: whether rows without a value come first; None leaves it to the database.
        nulls_last: whether rows without a value come last.
        notnull: whether rows without a value are left out.
        description: what the order is, for the API's description.
    """

    field: Any = None
    _: KW_ONLY
    asc: bool = True
    desc: bool = True
    nulls_first: bool | None = None
    nulls_last: bool | None = None
    notnull: bool = False
    description: str | None = None

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            ConfigError: nothing may be asked for, or rows without a value come first and last.
        """
        if not (self.asc or self.desc):
            raise ConfigError("orm.Order(asc=False, desc=False): nothing is left to ask for")
        if self.nulls_first and self.nulls_last:
            raise ConfigError("orm.Order: nulls come first or last, not both")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Orders:
    """The orders that may be asked for.

    Attributes:
        options: by name.
    """

    options: Mapping[str, Order]

    @property
    def values(self) -> list[str]:
        """What clients may send: `views`, `-views`."""
        found = []
        for name, order in self.options.items():
            found += [name] * order.asc + [f"-{name}"] * order.desc
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A field that says which part of the rows, or of each row, is wanted.

    Attributes:
        kind: `offset`, `limit`, `page`, `cursor` or `scope`.
        excluded: whether a scope names what is left out.
    """

    kind: str
    excluded: bool = False


Marker = FilterBy | SearchIn | Orders | Part
_about_names = ("title", "description", "alias", "examples", "deprecated")


def _info(marker: Marker, options: dict[str, Any], *, required: bool = False) -> Any:
    check_options("orm", [name for name in options if name != "default"])
    given = {name: value for name, value in options.items() if value is not None}
    has_default = "default_factory" in given or given.get("default", MISSING) is not MISSING
    if required and has_default:
        raise ConfigError("orm: a query's field that is required has no default")
    if "default_factory" not in given and not required:
        given.setdefault("default", MISSING)
    if given.get("default", 0) is PydanticUndefined:
        del given["default"]
    info: FieldInfo = pydantic.Field(**given)
    info.metadata.append(marker)
    return info


def Filter(  # noqa: N802 - public name
    source: Any = None,
    *,
    query: "Callable[[Any], Any] | Q | None" = None,
    lookup: str = "exact",
    required: bool = False,
    **options: Any,
) -> Any:
    """Declare a filter; a list of values is any of them, None is no value.

    Args:
        source: path through relations with an optional lookup (`author.username`,
            `created_at__gte`), or an expression; None for the field's own name.
        query: a function from the value to a `Q` or another condition; or a `Q`, which then holds
            for True and does not for False.
        lookup: Django lookup by which an expression is compared.
        required: whether it must be sent.
        **options: `default default_factory alias title description examples deprecated`, and
            pydantic's constraints.

    Raises:
        ConfigError: source and query are both given, or one of them is neither path nor condition.
    """
    if source is not None and query is not None:
        raise ConfigError("orm.Filter: give a source, or query=, not both")
    if query is not None and not (callable(query) or isinstance(query, Q)):
        raise ConfigError(f"orm.Filter(query={query!r}): expected a function, or a Q")
    if source is not None and not (isinstance(source, str) or is_expression(source)):
        raise ConfigError(
            f"orm.Filter({source!r}): expected a path such as 'author.username', or an expression"
        )
    return _info(FilterBy(source=source, query=query, lookup=lookup), options, required=required)


def Search(  # noqa: N802 - public name
    *paths: str,
    match_mode: MatchMode = "all",
    config: str | None = None,
    rank: bool = True,
    required: bool = False,
    **options: Any,
) -> Any:
    """Declare a text search; a phrase in quotation marks is one word.

    Args:
        *paths: columns, such as `title` and `author.username`.
        match_mode: `all` words somewhere, `any` of them, or PostgreSQL's `full_text` with its
            own syntax (`"exact phrase" -without or`).
        config: PostgreSQL's text search configuration, such as `english`.
        rank: whether full text results come best first when no order is asked for.
        required: whether it must be sent.
        **options: see `Filter`.

    Raises:
        ConfigError: there is no path, or the mode is unknown.
    """
    if not paths or not all(isinstance(path, str) for path in paths):
        raise ConfigError("orm.Search: expected columns to search, such as 'title', 'body'")
    if match_mode not in {"all", "any", "full_text"}:
        raise ConfigError(f"orm.Search(match_mode={match_mode!r}): expected all, any or full_text")
    options.setdefault("max_length", 200)
    marker = SearchIn(paths=paths, match_mode=match_mode, config=config, rank=rank)
    return _info(marker, options, required=required)


def OrderBy(  # noqa: N802 - public name
    orders: "Mapping[str, Order | str | Any] | Iterable[str]",
    *,
    required: bool = False,
    **options: Any,
) -> Any:
    """Declare the orders that may be asked for: `order=-views,title`.

    Args:
        orders: names, or a mapping from names to `orm.Order`, a path, or an expression.
        required: whether it must be sent.
        **options: see `Filter`; a default is what is ordered by when nothing is sent.

    Raises:
        ConfigError: there is no name, or one is no identifier.
    """
    known = orders if isinstance(orders, Mapping) else dict.fromkeys(orders, Order())
    made = {name: _order_of(name, order) for name, order in known.items()}
    if not made:
        raise ConfigError("orm.OrderBy: expected names to order by")
    marker = Orders(options=made)
    notes = [f"{name}: {order.description}" for name, order in made.items() if order.description]
    if notes and not options.get("description"):
        options["description"] = "; ".join(notes)
    return _info(marker, options, required=required)


def _order_of(name: str, order: Any) -> Order:
    if not isinstance(name, str) or not name or name.startswith("-") or "," in name:
        raise ConfigError(f"orm.OrderBy: {name!r} is no name to order by")
    return order if isinstance(order, Order) else Order(field=order)


def Limit(default: Any = MISSING, **options: Any) -> Any:  # noqa: N802 - public name
    """Declare how many rows are wanted at most; 0 gives none.

    Args:
        default: rows when nothing is sent; without one all of them.
        **options: see `Filter`; `le` is the most that may be asked for.

    Raises:
        ConfigError: the default could not be asked for.
    """
    options = {"ge": 0, "le": MAX_ROWS, **options}
    if isinstance(default, int) and not options["ge"] <= default <= options["le"]:
        raise ConfigError(
            f"orm.Limit({default}): the default is not from {options['ge']} to {options['le']}"
        )
    return _info(Part(kind="limit"), {"default": default, **options})


def Offset(default: Any = MISSING, **options: Any) -> Any:  # noqa: N802 - public name
    """Declare how many rows are skipped.

    Args:
        default: rows when nothing is sent.
        **options: see `Filter`.
    """
    options = {"ge": 0, "le": MAX_OFFSET, **options}
    return _info(Part(kind="offset"), {"default": default, **options})


def Page(default: Any = MISSING, **options: Any) -> Any:  # noqa: N802 - public name
    """Declare which page is wanted, the first is 1; a `Limit` says how many rows it has.

    Args:
        default: page when nothing is sent.
        **options: see `Filter`.
    """
    options = {"ge": 1, "le": MAX_ROWS, **options}
    return _info(Part(kind="page"), {"default": default, **options})


def Cursor(**options: Any) -> Any:  # noqa: N802 - public name
    """Declare that pages go on where one ended, however many rows come or go meanwhile.

    Rows read by the query have `next_cursor`, which clients send for the next page; a `Limit` says
    how many rows a page has.

    Args:
        **options: see `Filter`.
    """
    options = {"max_length": 2_000, **options}
    return _info(Part(kind="cursor"), options)


def Scope(*, excluded: bool = False, **options: Any) -> Any:  # noqa: N802 - public name
    """Declare that clients may say which fields they want: `scope=id,author(username)`.

    Args:
        excluded: whether the fields are those that are left out.
        **options: see `Filter`.
    """
    return _info(Part(kind="scope", excluded=excluded), options)


@dataclass(frozen=True, slots=True)
class Marked:
    """A query's field.

    Attributes:
        name: its name in the class.
        marker: what it does.
        annotation: its type.
        wire: its name in requests.
    """

    name: str
    marker: Marker
    annotation: Any
    wire: str = field(default="")


def marker_of(info: FieldInfo) -> Marker:
    """Return what a query's field does; without a declaration it filters."""
    kinds = (FilterBy, SearchIn, Orders, Part)
    return next((item for item in reversed(info.metadata) if isinstance(item, kinds)), FilterBy())


def texts_of(value: Any) -> list[str]:
    """Return the texts of a value that is a text with commas, or several of them."""
    if value is None or value is MISSING:
        return []
    parts = [value] if isinstance(value, str) else list(value)
    return [text.strip() for part in parts for text in part.split(",") if text.strip()]
