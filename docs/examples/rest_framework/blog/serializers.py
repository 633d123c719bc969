"""What the blog's views read and write."""

from blog.models import Note
from rest_framework import serializers


class NoteSerializer(serializers.ModelSerializer):
    author_name = serializers.CharField(source="author.name", read_only=True)

    class Meta:
        model = Note
        fields = ("slug", "title", "text", "author", "author_name", "created")
