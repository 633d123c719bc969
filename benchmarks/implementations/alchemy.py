"""The same tables by SQLAlchemy, for frameworks whose users mostly take it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    column_property,
    contains_eager,
    load_only,
    mapped_column,
    relationship,
    selectinload,
    sessionmaker,
)
from sqlalchemy.orm import Session as AnySession
from sqlalchemy.types import TypeDecorator

from benchmarks.data import add_sleep, database_url, is_postgres, slow_sql
from benchmarks.workloads import LISTED

LINES = 100
SLOW = text(slow_sql())
encode_lines = msgspec.json.Encoder().encode_lines
URL = database_url().replace("postgresql://", "postgresql+psycopg://")
# As many connections as requests may ask for at once, as Django has one for each thread.
engine = create_engine(URL, pool_size=50)
Session = sessionmaker(engine, expire_on_commit=False)

if not is_postgres():

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        add_sleep(connection)
        connection.execute("PRAGMA foreign_keys = ON")


class Moment(TypeDecorator[datetime]):
    """A moment, which SQLite keeps without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return what is written."""
        return value if value is None or dialect.name != "sqlite" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Return what was read."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """What all tables share."""


article_tags = Table(
    "conduit_article_tags",
    Base.metadata,
    Column("article_id", ForeignKey("conduit_article.id")),
    Column("tag_id", ForeignKey("conduit_tag.id")),
)


class User(Base):
    """An author."""

    __tablename__ = "conduit_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    bio: Mapped[str]
    image: Mapped[str | None]


class Tag(Base):
    """A tag."""

    __tablename__ = "conduit_tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Comment(Base):
    """A comment, shortly."""

    __tablename__ = "conduit_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("conduit_article.id"))
    author_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)


class Article(Base):
    """An article."""

    __tablename__ = "conduit_article"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("conduit_user.id"))
    slug: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment, default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(Moment, default=lambda: datetime.now(UTC))
    author: Mapped[User] = relationship()
    tags: Mapped[list[Tag]] = relationship(secondary=article_tags, order_by=Tag.name)


# Made after the class, as it refers to the class's own key.
Article.comments_count = column_property(
    select(func.count(Comment.id))
    .where(Comment.article_id == Article.id)
    .correlate_except(Comment)
    .scalar_subquery(),
    deferred=True,
)  # type: ignore[attr-defined]


def _articles() -> Any:
    return (
        select(Article)
        .join(Article.author)
        .options(
            load_only(
                Article.slug,
                Article.title,
                Article.description,
                Article.created_at,
                Article.updated_at,
                Article.comments_count,
            ),
            contains_eager(Article.author),
            selectinload(Article.tags),
        )
    )


def newest(session: AnySession) -> Sequence[Article]:
    """Return the newest articles."""
    newest_first = (Article.created_at.desc(), Article.id.desc())
    found: Sequence[Article] = session.scalars(
        _articles().order_by(*newest_first).limit(LISTED)
    ).all()
    return found


def one(session: AnySession, key: int) -> Article | None:
    """Return an article."""
    found: Article | None = session.scalars(_articles().where(Article.id == key)).one_or_none()
    return found


def create(session: AnySession, row: dict[str, Any]) -> Article:
    """Make an article."""
    made = Article(**row)
    session.add(made)
    session.commit()
    return made


def create_many(session: AnySession, rows: list[dict[str, Any]]) -> Sequence[Any]:
    """Make articles in one statement."""
    made = session.execute(insert(Article).returning(Article.id, Article.slug), rows).all()
    session.commit()
    return made


def slow(session: AnySession) -> None:
    """Run the query that takes 20 ms."""
    session.execute(SLOW).fetchone()


def lines() -> Iterator[bytes]:
    """Yield all comments as JSON lines, a hundred at a time."""
    columns = (Comment.id, Comment.article_id, Comment.author_id, Comment.created_at)
    with Session() as session:
        rows = iter(session.execute(select(*columns).order_by(Comment.id)).mappings())
        while some := list(islice(rows, LINES)):
            yield encode_lines([dict(row) for row in some])
