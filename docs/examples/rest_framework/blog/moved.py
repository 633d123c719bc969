"""What stands for blog.views.NoteViewSet; written once, to go on from."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pydantic
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from typing_extensions import TypedDict

from blog.models import Note
from blog.views import KeyAuthentication
from utilmeta.contrib import rest_framework
from utilmeta.core import api, orm
from utilmeta.utils.exceptions import NotFound

BlankText = Annotated[str, pydantic.StringConstraints(strip_whitespace=True)]

Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1)]


class NoteSchema(orm.Schema[Note]):
    """What NoteSerializer read and wrote."""

    slug: Text
    title: Text
    text: BlankText = orm.Field(required=False)
    author: int
    author_name: str = orm.Field("author.name")
    created: datetime


class NoteQuery(orm.Query[Note]):
    """What may be asked of NoteViewSet."""

    # Other names are left alone, as by REST framework; a query refuses them else.
    model_config = {"extra": "ignore"}

    search: str = orm.Search("title", "author.name")
    page: int = orm.Page(1)
    # Clients have no say in the length of a page.
    page_size: int = orm.Limit(10, ge=10, le=10)


def link(url: str, **values: object) -> str:
    """Return a URL with other values in its query; None takes one out."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = {**query, **values}
    kept = {name: value for name, value in given.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(sorted(kept.items()))))


class NotePage(TypedDict):
    """A page of rows, and where the others are."""

    count: int
    next: str | None
    previous: str | None
    results: list[NoteSchema]


@rest_framework.Use(
    authentication_classes=[KeyAuthentication],
    permission_classes=[IsAuthenticatedOrReadOnly],
    throttle_classes=[],
)
class NoteAPI(api.API):
    """Notes of all authors."""

    def rows(self) -> QuerySet[Note]:
        """Return the rows there are."""
        return Note.objects.all().order_by("slug")

    def get(self, query: NoteQuery) -> NotePage:
        """Return a page of the rows that are asked for."""
        count = query.count(self.rows())
        page, pages = query.page, max(1, -(-count // query.page_size))
        if page > pages:
            raise NotFound("Invalid page.")
        url = self.request.url
        before = page - 1 if page > 2 else None
        return {
            "count": count,
            "next": link(url, page=page + 1) if page < pages else None,
            "previous": link(url, page=before) if page > 1 else None,
            "results": NoteSchema.serialize(query.over(self.rows())),
        }

    @api.post("", status=201)
    def create(self, data: Annotated[NoteSchema, orm.A]) -> NoteSchema:
        """Make a row."""
        return data.save()

    @api.get("{slug}")
    def retrieve(self, slug: str) -> NoteSchema:
        """Return one row."""
        return NoteSchema.init(self.rows().filter(slug=slug))

    @api.put("{slug}")
    def update(self, slug: str, data: Annotated[NoteSchema, orm.W]) -> NoteSchema:
        """Change a row."""
        data.pk = get_object_or_404(self.rows(), slug=slug).pk
        return data.save()

    @api.patch("{slug}")
    def partial_update(
        self, slug: str, data: Annotated[NoteSchema, orm.WP]
    ) -> NoteSchema:
        """Change parts of a row."""
        data.pk = get_object_or_404(self.rows(), slug=slug).pk
        return data.save()

    @api.delete("{slug}")
    def destroy(self, slug: str) -> None:
        """Delete a row."""
        get_object_or_404(self.rows(), slug=slug).delete()

    # NoteViewSet.length is code of its own, which is to be moved here by hand.
    @api.get("{slug}/length")
    def length(self, slug: str) -> Any:
        """Count the characters of a note."""
        raise NotImplementedError("NoteViewSet.length")
