"""Models of the blog."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Tag(models.Model):
    name = models.CharField(max_length=30, unique=True)


class Article(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100, help_text="what readers see first")
    body = models.TextField()
    status = models.CharField(
        max_length=10, choices=[("draft", "Draft"), ("public", "Public")], default="draft"
    )
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="articles")
    tags = models.ManyToManyField(Tag, related_name="articles", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)


class Link(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="links")
    url = models.URLField()
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
