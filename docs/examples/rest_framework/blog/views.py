"""The blog as REST framework serves it."""

from blog.models import Note
from blog.serializers import NoteSerializer
from rest_framework import authentication, filters, pagination, permissions, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response


class Reader:
    """Who has a key."""

    is_authenticated = True
    pk = "reader"


class KeyAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request):
        key = request.headers.get("x-key")
        if key is None:
            return None
        if key != "secret":
            raise AuthenticationFailed
        return Reader(), key

    def authenticate_header(self, request):
        return "Key"


class Pages(pagination.PageNumberPagination):
    page_size = 10


class NoteViewSet(viewsets.ModelViewSet):
    """Notes of all authors."""

    queryset = Note.objects.order_by("slug")
    serializer_class = NoteSerializer
    lookup_field = "slug"
    authentication_classes = [KeyAuthentication]
    permission_classes = [permissions.IsAuthenticatedOrReadOnly]
    filter_backends = [filters.SearchFilter]
    search_fields = ["title", "author__name"]
    pagination_class = Pages

    @action(detail=True)
    def length(self, request, slug):
        """Count the characters of a note."""
        return Response(len(self.get_object().text))
