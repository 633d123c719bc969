"""The same articles through Django REST framework, to compare with: read only, below `/drf`."""

from django.db.models import Count
from rest_framework import pagination, routers, serializers, viewsets

from testproject.conduit.models import Article, User


class AuthorSerializer(serializers.ModelSerializer):
    """Who wrote an article."""

    class Meta:
        """What it shows."""

        model = User
        fields = ("username", "bio", "image")


class ArticleSerializer(serializers.ModelSerializer):
    """An article with its body."""

    tagList = serializers.SlugRelatedField(  # noqa: N815 - RealWorld's name
        source="tags", slug_field="name", many=True, read_only=True
    )
    createdAt = serializers.DateTimeField(source="created_at")  # noqa: N815
    updatedAt = serializers.DateTimeField(source="updated_at")  # noqa: N815
    favoritesCount = serializers.IntegerField(source="favorites_count")  # noqa: N815
    author = AuthorSerializer()

    class Meta:
        """What it shows."""

        model = Article
        fields = (
            "slug",
            "title",
            "description",
            "body",
            "tagList",
            "createdAt",
            "updatedAt",
            "favoritesCount",
            "author",
        )


class Pages(pagination.LimitOffsetPagination):
    """Pages as the API's own."""

    default_limit = 20
    max_limit = 100


class ArticleViewSet(viewsets.ReadOnlyModelViewSet):
    """Articles, the latest first."""

    queryset = (
        Article.objects.select_related("author")
        .prefetch_related("tags")
        .annotate(favorites_count=Count("favorited_by"))
        .order_by("-created_at", "-id")
    )
    serializer_class = ArticleSerializer
    pagination_class = Pages
    lookup_field = "slug"


router = routers.DefaultRouter()
router.register("articles", ArticleViewSet)
