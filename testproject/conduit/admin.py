"""Admin pages of the Conduit models."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models

from testproject.conduit.models import Article, Comment, Favorite, Follow, Tag, User

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    # Django's admin classes take parameters in its stubs only.
    ModelAdmin = admin.ModelAdmin[Any]
    CommentInlineBase = admin.TabularInline[Comment, Article]
    UserAdminBase = DjangoUserAdmin[User]
else:
    ModelAdmin = admin.ModelAdmin
    CommentInlineBase = admin.TabularInline
    UserAdminBase = DjangoUserAdmin


class CommentInline(CommentInlineBase):
    """The comments on the page of their article."""

    model = Comment
    fields = ("author", "body", "created_at", "updated_at")
    readonly_fields = ("updated_at",)
    autocomplete_fields = ("author",)
    extra = 0


@admin.register(User)
class UserAdmin(UserAdminBase):
    """Django's user pages with the Conduit profile added."""

    list_display = ("username", "email", "is_staff", "is_active", "date_joined")
    search_fields = ("username", "email")
    # Django 5.2 warns about URL fields that leave this to the default.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}  # noqa: RUF012
    fieldsets = (
        *(DjangoUserAdmin.fieldsets or ()),
        ("Profile", {"fields": ("bio", "image")}),
    )
    # Without an address the second user would clash with the first.
    add_fieldsets = (
        *DjangoUserAdmin.add_fieldsets,
        ("Profile", {"classes": ("wide",), "fields": ("email", "bio", "image")}),
    )


@admin.register(Tag)
class TagAdmin(ModelAdmin):
    """Tags, found by name."""

    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Article)
class ArticleAdmin(ModelAdmin):
    """Articles with their comments."""

    list_display = ("title", "author", "tag_names", "created_at", "updated_at")
    list_filter = ("created_at", "updated_at", "tags")
    list_select_related = ("author",)
    search_fields = ("title", "slug", "description", "author__username")
    autocomplete_fields = ("author", "tags")
    prepopulated_fields = {"slug": ("title",)}  # noqa: RUF012 - Django reads a dict
    readonly_fields = ("updated_at",)
    inlines = (CommentInline,)

    def get_queryset(self, request: "HttpRequest") -> "QuerySet[Article]":
        """Returns the articles with their tags fetched beforehand."""
        return super().get_queryset(request).prefetch_related("tags")

    @admin.display(description="tags")
    def tag_names(self, article: Article) -> str:
        """Returns the names of the article's tags, separated by commas."""
        return ", ".join(tag.name for tag in article.tags.all())


@admin.register(Comment)
class CommentAdmin(ModelAdmin):
    """Comments, found by their text, article or author."""

    list_display = ("__str__", "article", "author", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("article", "author")
    search_fields = ("body", "article__title", "author__username")
    autocomplete_fields = ("article", "author")
    readonly_fields = ("updated_at",)


@admin.register(Favorite)
class FavoriteAdmin(ModelAdmin):
    """Who favors which article."""

    list_display = ("user", "article", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("user", "article")
    search_fields = ("user__username", "article__title")
    autocomplete_fields = ("user", "article")


@admin.register(Follow)
class FollowAdmin(ModelAdmin):
    """Who follows whom."""

    list_display = ("follower", "followed", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("follower", "followed")
    search_fields = ("follower__username", "followed__username")
    autocomplete_fields = ("follower", "followed")
