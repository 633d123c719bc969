"""What is served by UtilMeta: endpoints over serializers, and what has been moved."""

from typing import Annotated

from blog.models import Note
from blog.moved import NoteAPI
from blog.serializers import NoteSerializer
from blog.views import KeyAuthentication
from rest_framework import permissions
from utilmeta.contrib import rest_framework
from utilmeta.core import api, request


@rest_framework.Use(
    authentication_classes=[KeyAuthentication],
    permission_classes=[permissions.IsAuthenticatedOrReadOnly],
)
class SerializedAPI(api.API):
    """Notes, read and written by the serializer."""

    def get(self, limit: int = request.QueryParam(10, le=100)) -> list[NoteSerializer]:
        return Note.objects.select_related("author")[:limit]

    @api.post("", status=201)
    def add(self, note: NoteSerializer) -> NoteSerializer:
        return note.save()

    @api.put("{slug}")
    def change(
        self,
        slug: str,
        note: Annotated[NoteSerializer, rest_framework.Existing(Note, "slug", "slug")],
    ) -> NoteSerializer:
        rest_framework.check_object_permissions(self.request, note.instance)
        return note.save()


class RootAPI(api.API):
    serialized: SerializedAPI
    notes: NoteAPI
