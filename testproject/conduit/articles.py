"""How articles are found and written: with a slug of their own, and tags that may be new."""

import secrets
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from testproject.conduit.models import SLUG_MAX_LENGTH, Article, Tag
from testproject.conduit.schemas import NewArticle
from utilmeta.utils import exceptions


def find(slug: str, *, lock: bool = False) -> Article:
    """Return the article of a slug.

    Args:
        slug: the slug.
        lock: whether nobody else may change it, or refer to it, until the end of the transaction.

    Raises:
        NotFound: there is none.
    """
    articles = Article.objects.select_for_update() if lock else Article.objects.all()
    found = articles.filter(slug=slug).first()
    if found is None:
        raise exceptions.NotFound("article not found")
    return found


def write(article: Article, sent: NewArticle) -> None:
    """Save an article with what was sent of it.

    Args:
        article: a new one, or one of the database.
        sent: what its author sent; what was left out stays as it is.
    """
    values = sent.model_dump(exclude_unset=True)
    tags = values.pop("tag_list", None)
    has_new_title = values.get("title", article.title) != article.title
    for name, value in values.items():
        setattr(article, name, value)
    if has_new_title:
        save_under_slug(article)
    else:
        article.save()
    if tags is not None:
        tag(article, tags)


def save_under_slug(article: Article) -> None:
    """Save an article under a slug of its title; where that is taken, one with a random end.

    The database tells what is taken, so that two articles that are saved at once both get one.
    """
    slug = slugify(article.title, allow_unicode=True)[: SLUG_MAX_LENGTH - 9] or "article"
    article.slug = slug
    while True:
        try:
            with transaction.atomic():
                article.save()
                return
        except IntegrityError:
            if not Article.objects.filter(slug=article.slug).exclude(pk=article.pk).exists():
                raise
            article.slug = f"{slug}-{secrets.token_hex(4)}"


def tag(article: Article, names: Collection[str]) -> None:
    """Give an article these tags and no others; those that nobody has used are made."""
    Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
    article.tags.set(Tag.objects.filter(name__in=names))
