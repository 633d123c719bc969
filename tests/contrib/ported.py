"""View sets, views and serializers that tests move."""

from typing import Any, ClassVar

from rest_framework import (
    filters,
    generics,
    pagination,
    permissions,
    serializers,
    throttling,
    views,
    viewsets,
)
from rest_framework.decorators import action
from rest_framework.response import Response

from testproject.conduit.models import Article, Comment, Tag, User


class Open:
    """Nobody has to say who asks."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)


class TagSerializer(serializers.ModelSerializer):
    """A tag as it is sent and shown."""

    class Meta:
        model = Tag
        fields = ("id", "name")


class TagPages(pagination.PageNumberPagination):
    page_size = 2


class TagViewSet(Open, viewsets.ModelViewSet):
    """Tags, by pages."""

    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    filter_backends = (filters.SearchFilter, filters.OrderingFilter)
    search_fields = ("^name",)
    ordering_fields = ("name", "id")
    filterset_fields: ClassVar = {"name": ["exact", "in"], "articles__slug": ["exact"]}
    pagination_class = TagPages


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("username", "bio", "image")


class ArticleSerializer(serializers.ModelSerializer):
    author_name = serializers.CharField(source="author.username", read_only=True)
    writer = UserSerializer(source="author", read_only=True)
    tag_names = serializers.SlugRelatedField(
        source="tags", slug_field="name", many=True, read_only=True
    )
    title = serializers.CharField(max_length=20)
    seen = serializers.SerializerMethodField()
    body = serializers.CharField(write_only=True)

    class Meta:
        model = Article
        fields = (
            "id", "slug", "title", "description", "body", "author", "author_name", "writer", "tags",
            "tag_names", "created_at", "updated_at", "seen",
        )  # fmt: skip
        read_only_fields = ("created_at",)

    def get_seen(self, _article: Article) -> bool:
        return True


class ShownArticleSerializer(ArticleSerializer):
    seen = None

    class Meta(ArticleSerializer.Meta):
        fields = tuple(name for name in ArticleSerializer.Meta.fields if name != "seen")


class ArticlePages(pagination.LimitOffsetPagination):
    default_limit = 2
    max_limit = 5


class ArticleViewSet(Open, viewsets.ModelViewSet):
    queryset = Article.objects.order_by("slug")
    serializer_class = ShownArticleSerializer
    lookup_field = "slug"
    pagination_class = ArticlePages
    filter_backends = (filters.OrderingFilter,)
    ordering_fields = ("slug", "author__username")
    ordering = ("slug",)

    def perform_destroy(self, instance: Article) -> None:
        instance.delete()

    @action(detail=True, methods=["post", "delete"], url_path=r"favorite/(?P<kind>\w+)")
    def favorite(self, _request: Any, slug: str, kind: str) -> Response:
        """Like an article."""
        return Response([slug, kind])

    @action(detail=False)
    def feed(self, _request: Any) -> Response:
        return Response([])


class CommentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Comment
        fields = "__all__"


class CommentViewSet(Open, viewsets.ReadOnlyModelViewSet):
    serializer_class = CommentSerializer

    def get_queryset(self) -> Any:
        return Comment.objects.filter(body__startswith="a")


class GuardedTagViewSet(viewsets.ModelViewSet):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    authentication_classes = ()
    permission_classes = (
        permissions.AllowAny & ~permissions.IsAdminUser,
        permissions.IsAuthenticatedOrReadOnly,
    )
    throttle_classes = (throttling.AnonRateThrottle,)


class CommentList(Open, generics.ListCreateAPIView):
    queryset = Comment.objects.all()
    serializer_class = CommentSerializer


class StatusView(views.APIView):
    """How it is."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, _request: Any) -> Response:
        """Tell how it is."""
        return Response("well")


class OwnViewSet(Open, viewsets.ViewSet):
    def list(self, _request: Any) -> Response:
        return Response([])

    def retrieve(self, _request: Any, pk: str) -> Response:
        return Response(pk)


class PlaceSerializer(serializers.Serializer):
    city = serializers.CharField(max_length=20)
    kind = serializers.ChoiceField(choices=["a", "b"], default="a")


class OrderSerializer(serializers.Serializer):
    amount = serializers.IntegerField(min_value=1, max_value=9)
    places = PlaceSerializer(many=True)
    note = serializers.CharField(required=False, allow_null=True)
    labels = serializers.ListField(child=serializers.CharField(), required=False)
    price = serializers.DecimalField(max_digits=5, decimal_places=2)
