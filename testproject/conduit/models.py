"""Models of the RealWorld "Conduit" domain."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.text import Truncator

from utilmeta.core.orm.backends.django.models import PasswordField

TITLE_MAX_LENGTH = 200
SLUG_MAX_LENGTH = 255  # the longest unique column that Django's MySQL check accepts
TAG_MAX_LENGTH = 100
IMAGE_MAX_LENGTH = 500


class User(AbstractUser):
    """An author or reader, who may follow other users."""

    email = models.EmailField("email address", unique=True)
    password = PasswordField("password")
    bio = models.TextField("biography", blank=True, default="")
    # The RealWorld API tells "no image" (null) from an address.
    image = models.URLField(  # noqa: DJ001
        "image address", max_length=IMAGE_MAX_LENGTH, null=True, blank=True
    )
    following = models.ManyToManyField(
        "self",
        through="Follow",
        through_fields=("follower", "followed"),
        symmetrical=False,
        related_name="followers",
        verbose_name="followed users",
    )

    class Meta(AbstractUser.Meta):
        """Names shown in the admin."""

        verbose_name = "user"
        verbose_name_plural = "users"


class Follow(models.Model):
    """The fact that one user follows another."""

    follower = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="outgoing_follows",
        verbose_name="follower",
    )
    followed = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="incoming_follows",
        verbose_name="followed user",
    )
    created_at = models.DateTimeField("created at", default=timezone.now)

    class Meta:
        """One row for each ordered pair of two different users."""

        verbose_name = "follow"
        verbose_name_plural = "follows"
        constraints = (
            models.UniqueConstraint(
                fields=("follower", "followed"),
                name="conduit_follow_unique",
                violation_error_message="This user is already followed.",
            ),
            models.CheckConstraint(
                condition=~models.Q(follower=models.F("followed")),
                name="conduit_follow_not_self",
                violation_error_message="Users cannot follow themselves.",
            ),
        )

    def __str__(self) -> str:
        """Names both users by key, which costs no query."""
        return f"user {self.follower_id} follows user {self.followed_id}"


class Tag(models.Model):
    """A label that articles share."""

    name = models.CharField("name", max_length=TAG_MAX_LENGTH, unique=True)

    class Meta:
        """Tags come in the order of their names."""

        verbose_name = "tag"
        verbose_name_plural = "tags"
        ordering = ("name",)

    def __str__(self) -> str:
        """Returns the name."""
        return self.name


class Article(models.Model):
    """A published text with its tags and the users who favor it."""

    author = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="articles",
        verbose_name="author",
    )
    slug = models.SlugField("slug", max_length=SLUG_MAX_LENGTH, unique=True, allow_unicode=True)
    title = models.CharField("title", max_length=TITLE_MAX_LENGTH)
    description = models.TextField("description")
    body = models.TextField("body")
    tags = models.ManyToManyField(Tag, related_name="articles", blank=True, verbose_name="tags")
    favorited_by = models.ManyToManyField(
        User,
        through="Favorite",
        through_fields=("article", "user"),
        related_name="favorites",
        verbose_name="favorited by",
    )
    created_at = models.DateTimeField("created at", default=timezone.now)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        """Newest first, with indexes for the list and each author's list."""

        verbose_name = "article"
        verbose_name_plural = "articles"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="conduit_article_newest"),
            models.Index(fields=("author", "-created_at", "-id"), name="conduit_article_by_author"),
            models.Index(fields=("-updated_at",), name="conduit_article_updated"),
        )

    def __str__(self) -> str:
        """Returns the title."""
        return self.title


class Favorite(models.Model):
    """The fact that a user favors an article."""

    user = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="favorite_entries",
        verbose_name="user",
    )
    article = models.ForeignKey(
        Article,
        on_delete=models.CASCADE,
        related_name="favorite_entries",
        verbose_name="article",
    )
    created_at = models.DateTimeField("created at", default=timezone.now)

    class Meta:
        """One row for each pair of user and article."""

        verbose_name = "favorite"
        verbose_name_plural = "favorites"
        constraints = (
            models.UniqueConstraint(
                fields=("user", "article"),
                name="conduit_favorite_unique",
                violation_error_message="This article is already a favorite.",
            ),
        )

    def __str__(self) -> str:
        """Names user and article by key, which costs no query."""
        return f"user {self.user_id} favors article {self.article_id}"


class Comment(models.Model):
    """What a user has to say about an article."""

    article = models.ForeignKey(
        Article,
        on_delete=models.CASCADE,
        related_name="comments",
        verbose_name="article",
    )
    author = models.ForeignKey(
        User,
        on_delete=models.CASCADE,
        related_name="comments",
        verbose_name="author",
    )
    body = models.TextField("body")
    created_at = models.DateTimeField("created at", default=timezone.now)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        """Newest first, with an index for the comments of one article."""

        verbose_name = "comment"
        verbose_name_plural = "comments"
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("article", "-created_at", "-id"), name="conduit_comment_by_article"
            ),
            models.Index(fields=("-created_at", "-id"), name="conduit_comment_newest"),
        )

    def __str__(self) -> str:
        """Returns the beginning of the body."""
        return Truncator(self.body).chars(60)
