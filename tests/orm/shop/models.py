"""Models: constraints of all kinds, children of all kinds, versions, choices, overridden saves."""

import uuid
from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models


class Color(models.TextChoices):
    """What a product may look like."""

    RED = "red", "Red"
    GREEN = "green", "Green"


class Category(models.Model):
    """A tree."""

    name = models.CharField(max_length=50)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A row that many products share."""

    name = models.CharField(max_length=30, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A row with constraints and relations of all kinds."""

    sku = models.CharField(
        max_length=12, unique=True, validators=[RegexValidator("^[A-Z0-9-]+$", "Not a SKU")]
    )
    name = models.CharField(max_length=40, help_text="what customers read")
    price = models.DecimalField(
        max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    sale_price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    color = models.CharField(max_length=10, choices=Color, default=Color.RED)
    note = models.TextField(null=True)  # noqa: DJ001 - null is told from nothing
    facts = models.JSONField(default=dict)
    category = models.ForeignKey(Category, models.CASCADE, related_name="products")
    tags = models.ManyToManyField(Tag, related_name="products", blank=True)
    views = models.IntegerField(default=0)
    saved = models.IntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(sale_price__lte=models.F("price")) | models.Q(sale_price=None),
                name="shop_sale_price",
                violation_error_message="The sale price is above the price.",
            ),
            models.UniqueConstraint(fields=("category", "name"), name="shop_name_in_category"),
        )

    def __str__(self) -> str:
        return self.sku

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.saved = 1
        super().save(*args, **kwargs)


class Part(models.Model):
    """Some for each product."""

    product = models.ForeignKey(Product, models.CASCADE, null=True, related_name="parts")
    name = models.CharField(max_length=30)
    amount = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Screw(models.Model):
    """Some for each part."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="screws")
    size = models.IntegerField()

    def __str__(self) -> str:
        return str(self.size)


class Manual(models.Model):
    """At most one for each product."""

    product = models.OneToOneField(Product, models.CASCADE, related_name="manual")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class Page(models.Model):
    """A row whose updates are counted."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=30)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.title


class Person(models.Model):
    """A row of a mesh, and the parent of members."""

    name = models.CharField(max_length=30)
    friends = models.ManyToManyField("self")
    born = models.DateField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def loud(self) -> str:
        """Needs no other row."""
        return self.name.upper()

    @property
    def circle(self) -> str:
        """Needs other rows."""
        return ", ".join(friend.name for friend in self.friends.all())


class Member(Person):
    """A child of persons, with a table of its own."""

    number = models.IntegerField(unique=True)


class Tool(Product):
    """Products by another name."""

    class Meta:
        proxy = True


class ShownQuerySet(models.QuerySet["Note"]):
    """Filters everything by what is shown at the moment."""

    shown: ClassVar[str] = ""

    def filter(self, *args: Any, **kwargs: Any) -> "ShownQuerySet":
        return super().filter(*args, kind=self.shown, **kwargs)


class NumberedField(models.BigIntegerField):
    """Keys that are numbers in the database, and texts such as `n-1` in Python."""

    def from_db_value(self, value: Any, *_args: Any) -> Any:
        return None if value is None else f"n-{value}"

    def to_python(self, value: Any) -> Any:
        return value if value is None or str(value).startswith("n-") else f"n-{value}"

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else int(str(value).removeprefix("n-"))


class Book(models.Model):
    """A row with a key of a kind of its own, and bytes."""

    id = NumberedField(primary_key=True)
    token = models.UUIDField(default=uuid.uuid4)
    number = models.IntegerField(default=0)
    lent_for = models.DurationField(null=True)
    cover = models.BinaryField(default=b"")
    address = models.GenericIPAddressField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


class Note(models.Model):
    """Rows of a manager that looks at the moment."""

    book = models.ForeignKey(Book, models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=5)

    objects = models.Manager.from_queryset(ShownQuerySet)()

    def __str__(self) -> str:
        return self.kind
