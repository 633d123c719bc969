"""View sets over models with keys, relations and properties of all kinds, moved.

It runs in a process of its own, with the library's settings; see test_library.py.
"""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pytest
from rest_framework import permissions, serializers, viewsets

from tests.contrib.porting import both, loaded, written
from tests.orm.library.models import Author, Country, Genre, Portrait, Shelf, Work

pytestmark = pytest.mark.django_db(transaction=True, databases=["default"])


class Open:
    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)


class CountrySerializer(serializers.ModelSerializer):
    class Meta:
        model = Country
        fields = ("code", "name")


class CountryViewSet(Open, viewsets.ModelViewSet):
    queryset = Country.objects.order_by("code")
    serializer_class = CountrySerializer
    lookup_field = "code"


class PortraitSerializer(serializers.ModelSerializer):
    class Meta:
        model = Portrait
        fields = ("url",)


class AuthorSerializer(serializers.ModelSerializer):
    country_name = serializers.CharField(source="country.name", read_only=True, default=None)
    portrait = PortraitSerializer(read_only=True)

    class Meta:
        model = Author
        fields = ("key", "name", "country", "country_name", "portrait")
        read_only_fields = ("key",)
        extra_kwargs: ClassVar = {"name": {"max_length": 10}}


class AuthorViewSet(Open, viewsets.ModelViewSet):
    queryset = Author.objects.all()
    serializer_class = AuthorSerializer


class ShelfSerializer(serializers.ModelSerializer):
    label = serializers.ReadOnlyField()
    owned_by = serializers.CharField(read_only=True)
    holders = serializers.SlugRelatedField(
        source="authors", slug_field="name", many=True, read_only=True
    )

    class Meta:
        model = Shelf
        fields = ("id", "name", "kind", "place", "parent", "owner", "label", "owned_by", "holders")


class ShelfViewSet(Open, viewsets.ModelViewSet):
    queryset = Shelf.objects.all()
    serializer_class = ShelfSerializer


class WorkSerializer(serializers.ModelSerializer):
    class Meta:
        model = Work
        fields = ("id", "title", "isbn", "author", "genres", "price", "facts", "published")


class WorkViewSet(Open, viewsets.ModelViewSet):
    queryset = Work.objects.order_by("id")
    serializer_class = WorkSerializer


@pytest.fixture
def author() -> Author:
    country = Country.objects.create(code="fr", name="France")
    author = Author.objects.create(name="Ann", country=country)
    Portrait.objects.create(author=author, url="p.png")
    Author.objects.create(name="Bob")
    return author


def test_text_keys(tmp_path: Path, author: Author):
    module = loaded(written("tests.contrib.library.CountryViewSet"), tmp_path, "moved_countries")
    with both(CountryViewSet, module.CountryAPI) as pair:
        assert pair.same("GET") == [{"code": "fr", "name": "France"}]
        assert pair.same("GET", "fr") == {"code": "fr", "name": "France"}
        assert pair.same("GET", "de") == 404
        assert pair.same("POST", json={"name": "none"}) == 400
        assert pair.same("POST", json={"code": "fra", "name": "none"}) == 400
        assert pair.same("POST", json={"code": "fr", "name": "again"}) == 400
        assert pair.same("PATCH", "fr", json={"name": "La France"})["name"] == "La France"


def test_uuid_keys_and_rows_of_one(tmp_path: Path, author: Author):
    module = loaded(written("tests.contrib.library.AuthorViewSet"), tmp_path, "moved_authors")
    with both(AuthorViewSet, module.AuthorAPI) as pair:
        shown = pair.same("GET")
        assert [item["portrait"] for item in shown] == [{"url": "p.png"}, None]
        assert pair.same("GET", f"{author.pk}")["country_name"] == "France"
        assert pair.same("GET", "00000000-0000-0000-0000-000000000000") == 404
        for wrong in ({"name": "x" * 11}, {"name": "x", "country": "de"}, {"country": "fr"}):
            assert pair.same("POST", json=wrong) == 400
        theirs, ours = pair.each("POST", {"name": "Cid"}, {"name": "Cid"})
        assert (theirs.status_code, ours.status_code) == (201, 201)
        assert {**theirs.json(), "key": 0} == {**ours.json(), "key": 0}
        changed = pair.same("PUT", f"{author.pk}", json={"name": "Eve", "country": None})
        assert changed["country_name"] is None


def test_trees_choices_and_properties(tmp_path: Path, author: Author):
    module = loaded(written("tests.contrib.library.ShelfViewSet"), tmp_path, "moved_shelves")
    wood = Shelf.objects.create(name="a", kind="w", place=1, owner=author)
    Shelf.objects.create(name="b", kind="s", parent=wood)
    with both(ShelfViewSet, module.ShelfAPI) as pair:
        first = pair.same("GET")[0]
        assert first["label"] == "a (w)"
        for wrong in (
            {"kind": "x"}, {"parent": 99}, {"place": "one"}, {"name": None},
        ):  # fmt: skip
            sent = {"name": "c", "kind": "w", **wrong}
            assert pair.same("POST", json=sent) == 400, wrong
        made = pair.same("POST", json={"name": "c", "kind": "s", "parent": wood.pk})
        assert (made["place"], made["holders"]) == (None, [])
        assert pair.same("PATCH", f"{wood.pk}", json={"place": None})["place"] is None


def test_numbers_dates_and_lists_of_keys(tmp_path: Path, author: Author):
    module = loaded(written("tests.contrib.library.WorkViewSet"), tmp_path, "moved_works")
    genres = [Genre.objects.create(name=name) for name in "xy"]
    work = Work.objects.create(
        title="T", isbn="1", author=author, price=Decimal("1.50"),
        published=date(2020, 1, 2), reading_time=timedelta(hours=1),
    )  # fmt: skip
    work.genres.set(genres)
    with both(WorkViewSet, module.WorkAPI) as pair:
        assert pair.same("GET")[0]["price"] == "1.50"
        whole = {
            "title": "U", "isbn": "2", "author": str(author.pk), "genres": [genres[0].pk],
            "price": "2.25", "facts": {"a": [1]}, "published": "2021-02-03",
        }  # fmt: skip
        for wrong in (
            {"price": "1.234"}, {"price": "x"}, {"published": "no"}, {"genres": [99]},
            {"genres": None}, {"author": "x"}, {"isbn": ""},
        ):  # fmt: skip
            assert pair.same("PUT", f"{work.pk}", json={**whole, **wrong}) == 400, wrong
        changed = pair.same("PUT", f"{work.pk}", json=whole)
        assert (changed["price"], changed["genres"]) == ("2.25", [genres[0].pk])
        assert pair.same("PATCH", f"{work.pk}", json={"facts": None}) == 400
