from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    def __str__(self):
        return self.title
