"""Models of the blog."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)


class Note(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="notes")
    created = models.DateTimeField(auto_now_add=True)
