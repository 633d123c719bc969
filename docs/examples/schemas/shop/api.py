"""The API of the shop: schemas over its models."""

from django.db.models import Avg, OuterRef, Subquery
from shop.models import Author, Book, Review
from utilmeta.core import api, orm

_STARS = (
    Review.objects.filter(book=OuterRef("pk"))
    .order_by()
    .values("book")
    .annotate(mean=Avg("stars"))
    .values("mean")
)


class AuthorSchema(orm.Schema[Author]):
    id: int
    name: str


class ReviewSchema(orm.Schema[Review]):
    stars: int
    text: str


class BookSchema(orm.Schema[Book]):
    id: int
    title: str
    author: AuthorSchema
    author_name: str = orm.Field("author.name")
    tags: list[str] = orm.Field("tags.name")
    reviews: list[ReviewSchema]
    stars: float | None = orm.Field(Subquery(_STARS), alias="meanStars")


class BookAPI(api.API):
    def get(self, tag: str | None = None):
        books = Book.objects.all()
        if tag is not None:
            books = books.filter(tags__name=tag)
        return BookSchema.serialize(books)

    @api.get("{id}")
    def one(self, id: int) -> BookSchema:
        return BookSchema.init(id)

    @api.get
    def statements(self):
        return BookSchema.plan().queries
