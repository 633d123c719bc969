"""Models: text, UUID and other keys, one-to-one, inheritance, hidden rows, trees."""

import uuid
from typing import ClassVar

from django.db import models


class Country(models.Model):
    """A row with a text as its key."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    """A row with a UUID as its key."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50)
    country = models.ForeignKey(Country, models.SET_NULL, null=True, related_name="authors")
    friends = models.ManyToManyField("self")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Portrait(models.Model):
    """At most one for each author."""

    author = models.OneToOneField(Author, models.CASCADE, related_name="portrait")
    url = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.url


class Visible(models.Manager["Genre"]):
    """All but the hidden."""

    def get_queryset(self) -> "models.QuerySet[Genre]":
        return super().get_queryset().filter(hidden=False)


class Genre(models.Model):
    """A row that may be hidden."""

    name = models.CharField(max_length=50)
    hidden = models.BooleanField(default=False)

    objects: ClassVar[Visible] = Visible()
    everything: ClassVar["models.Manager[Genre]"] = models.Manager()

    class Meta:
        ordering = ("-name",)

    def __str__(self) -> str:
        return self.name


class Work(models.Model):
    """The parent of books."""

    title = models.CharField(max_length=50)
    isbn = models.CharField(max_length=20, unique=True)
    author = models.ForeignKey(Author, models.CASCADE)
    genres = models.ManyToManyField(Genre)
    sequel_of = models.OneToOneField("self", models.SET_NULL, null=True, related_name="sequel")
    price = models.DecimalField(max_digits=8, decimal_places=2)
    facts = models.JSONField(default=dict)
    published = models.DateField()
    reading_time = models.DurationField()
    cover = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return self.title


class Book(Work):
    """A child of works, with a table of its own."""

    pages = models.IntegerField()


class Review(models.Model):
    """A row that points to another column than the key."""

    work = models.ForeignKey(Work, models.CASCADE, to_field="isbn", related_name="reviews")
    stars = models.IntegerField()

    def __str__(self) -> str:
        return str(self.stars)


class Shelf(models.Model):
    """A node of a tree, whose place may be unknown."""

    KINDS: ClassVar = [("w", "Wood"), ("s", "Steel")]

    name = models.CharField(max_length=50)
    kind = models.CharField(max_length=1, choices=KINDS)
    place = models.IntegerField(null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    owner = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="owned")
    authors = models.ManyToManyField(Author, through="Placement", related_name="shelves")

    class Meta:
        ordering = (models.F("place").desc(nulls_last=True), "name")

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """Name and material."""
        return f"{self.name} ({self.kind})"

    @property
    def owned_by(self) -> str | None:
        """Name of the owner."""
        return self.owner and self.owner.name


class Placement(models.Model):
    """An author on a shelf, any number of times."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="placements")
    author = models.ForeignKey(Author, models.CASCADE)
    position = models.IntegerField()

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return str(self.position)


class Drawers(models.Manager["Drawer"]):
    """All but the hidden."""

    def get_queryset(self) -> "models.QuerySet[Drawer]":
        return super().get_queryset().filter(hidden=False)


class Label(models.Model):
    """What is stuck on drawers, by its text."""

    text = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.text


class Drawer(models.Model):
    """A node of a tree, which may be hidden."""

    name = models.CharField(max_length=20, unique=True)
    hidden = models.BooleanField(default=False)
    inside = models.ForeignKey("self", models.CASCADE, null=True, related_name="drawers")
    labels = models.ManyToManyField(Label, through="Sticker")

    objects: ClassVar[Drawers] = Drawers()
    everything: ClassVar["models.Manager[Drawer]"] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Stickers(models.Manager["Sticker"]):
    """All but the hidden."""

    def get_queryset(self) -> "models.QuerySet[Sticker]":
        return super().get_queryset().filter(hidden=False)


class Sticker(models.Model):
    """A label on a drawer, by the columns that are no keys; or none yet."""

    drawer = models.ForeignKey(Drawer, models.CASCADE, to_field="name")
    label = models.ForeignKey(Label, models.CASCADE, to_field="text", null=True)
    hidden = models.BooleanField(default=False)

    objects: ClassVar[Stickers] = Stickers()
    everything: ClassVar["models.Manager[Sticker]"] = models.Manager()

    def __str__(self) -> str:
        return f"{self.label_id} on {self.drawer_id}"


class Slot(models.Model):
    """A row whose key is two columns."""

    pk = models.CompositePrimaryKey("row", "column")
    row = models.IntegerField()
    column = models.IntegerField()
    name = models.CharField(max_length=20)
    drawer = models.ForeignKey(Drawer, models.CASCADE, related_name="slots")

    def __str__(self) -> str:
        return self.name
