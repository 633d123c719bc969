"""Django REST framework: `APIView`, serializers, relations read at once; no authentication."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.http import StreamingHttpResponse
from django.urls import path
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from benchmarks.implementations.handmade import comments, comments_count
from benchmarks.implementations.routes import extra_routes
from benchmarks.workloads import LISTED
from testproject.conduit.models import Article, User


class CustomerSerializer(serializers.Serializer):
    """Who orders."""

    name = serializers.CharField(min_length=1, max_length=100)
    email = serializers.CharField(max_length=200)
    vip = serializers.BooleanField(default=False)


class LineSerializer(serializers.Serializer):
    """How many of what."""

    sku = serializers.CharField(min_length=1, max_length=50)
    quantity = serializers.IntegerField(min_value=1, max_value=1000)
    price = serializers.FloatField(min_value=0)


class OrderSerializer(serializers.Serializer):
    """An order."""

    customer = CustomerSerializer()
    lines = LineSerializer(many=True, min_length=1, max_length=100)
    note = serializers.CharField(allow_null=True, default=None)


class ItemSerializer(serializers.Serializer):
    """The parameters of an item."""

    id = serializers.IntegerField()
    q = serializers.CharField()
    limit = serializers.IntegerField(min_value=1, max_value=100)


class AuthorSerializer(serializers.ModelSerializer):
    """An author."""

    class Meta:
        """What it shows."""

        model = User
        fields = ("username", "bio", "image")


class ArticleSerializer(serializers.ModelSerializer):
    """An article."""

    comments_count = serializers.IntegerField()
    author = AuthorSerializer()
    tags = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)

    class Meta:
        """What it shows."""

        model = Article
        fields = (
            "slug",
            "title",
            "description",
            "created_at",
            "updated_at",
            "comments_count",
            "author",
            "tags",
        )


class NewArticleSerializer(serializers.ModelSerializer):
    """An article to be made."""

    author_id = serializers.IntegerField()

    class Meta:
        """What it takes."""

        model = Article
        fields = ("author_id", "slug", "title", "description", "body")


def articles() -> Any:
    """Return the articles with what the serializer reads of them."""
    return (
        Article.objects.select_related("author")
        .prefetch_related("tags")
        .only(
            "slug",
            "title",
            "description",
            "created_at",
            "updated_at",
            "author__username",
            "author__bio",
            "author__image",
        )
        .annotate(comments_count=comments_count())
    )


class Hello(APIView):
    """Answers hello."""

    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"message": "hello"})


class Item(APIView):
    """Answers params."""

    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        """Answer."""
        serializer = ItemSerializer(data={"id": id, **request.query_params.dict()})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


class Orders(APIView):
    """Answers body."""

    def post(self, request: Request) -> Response:
        """Answer."""
        serializer = OrderSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


class Articles(APIView):
    """Answers list and create."""

    def get(self, request: Request) -> Response:
        """Answer list."""
        return Response(ArticleSerializer(articles()[:LISTED], many=True).data)

    def post(self, request: Request) -> Response:
        """Answer create."""
        serializer = NewArticleSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        made = serializer.save()
        return Response({"id": made.pk, "slug": made.slug}, status=201)


class Bulk(APIView):
    """Answers bulk."""

    def post(self, request: Request) -> Response:
        """Answer."""
        serializer = NewArticleSerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            made = serializer.save()
        return Response([{"id": row.pk, "slug": row.slug} for row in made], status=201)


class Detail(generics.RetrieveAPIView):
    """Answers detail."""

    serializer_class = ArticleSerializer

    def get_queryset(self) -> Any:
        """Return where to look."""
        return articles()


class Stream(APIView):
    """Answers stream, which REST framework leaves to Django."""

    def get(self, request: Request) -> StreamingHttpResponse:
        """Answer."""
        encode = JSONEncoder().encode

        def lines() -> Iterator[str]:
            for row in comments().iterator():
                yield encode(row) + "\n"

        return StreamingHttpResponse(lines(), content_type="application/jsonl")


class Thing(APIView):
    """One of many routes."""

    def get(self, request: Request, **values: Any) -> Response:
        """Answer."""
        return Response(values)


urlpatterns = [
    *(
        path(f"api/{name}/<int:id>" if is_dynamic else f"api/{name}", Thing.as_view())
        for name, is_dynamic in extra_routes()
    ),
    path("api/hello", Hello.as_view()),
    path("api/items/<int:id>", Item.as_view()),
    path("api/orders", Orders.as_view()),
    path("api/articles", Articles.as_view()),
    path("api/articles/bulk", Bulk.as_view()),
    path("api/articles/<int:pk>", Detail.as_view()),
    path("api/stream", Stream.as_view()),
]
