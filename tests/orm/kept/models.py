"""Models: what looks at the moment, columns of all kinds, joins with conditions."""

import uuid
from typing import Any, ClassVar

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import get_language


class Moment:
    """What the code below looks at, which tests change."""

    word: ClassVar[str] = "a"


class Spoken(models.Func):
    """A project's own expression: true for one word, which may be another one the next time."""

    arity = 1
    output_field = models.BooleanField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, Any]:  # type: ignore[override]
        text, params = compiler.compile(self.source_expressions[0])
        return f"CASE WHEN {text} = %s THEN 1 ELSE 2 END", (*params, Moment.word)


class ShownQuerySet(models.QuerySet):
    """Filters everything by the word of the moment."""

    def filter(self, *args: Any, **kwargs: Any) -> Any:
        return super().filter(*args, name=Moment.word, **kwargs)


class LoudQuerySet(models.QuerySet):
    """Changes what it has fetched."""

    def _fetch_all(self) -> None:
        is_new = self._result_cache is None
        super()._fetch_all()
        if is_new:
            self._result_cache = self._result_cache[:1]


class ShownManager(models.Manager["Word"]):
    """Rows of the word of the moment."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(name=Moment.word)


class Word(models.Model):
    """Ordered by what is spoken at the moment."""

    name = models.CharField(max_length=20)
    follows = models.ManyToManyField("self", symmetrical=False, related_name="followers")

    objects: ClassVar["models.Manager[Word]"] = models.Manager()
    shown: ClassVar[ShownManager] = ShownManager()
    filtered: ClassVar[Any] = models.Manager.from_queryset(ShownQuerySet)()
    loud: ClassVar[Any] = models.Manager.from_queryset(LoudQuerySet)()

    class Meta:
        ordering = (Spoken("name"), "id")

    def __str__(self) -> str:
        return self.name


class Sentence(models.Model):
    """Some for each word."""

    word = models.ForeignKey(Word, models.CASCADE, related_name="sentences", null=True)
    name = models.CharField(max_length=20)

    objects: ClassVar["models.Manager[Sentence]"] = models.Manager()
    shown: ClassVar[ShownManager] = ShownManager()
    filtered: ClassVar[Any] = models.Manager.from_queryset(ShownQuerySet)()
    loud: ClassVar[Any] = models.Manager.from_queryset(LoudQuerySet)()

    def __str__(self) -> str:
        return self.name


class SentenceProxy(Sentence):
    """Sentences by another name, through a manager that looks at the moment."""

    objects: ClassVar[ShownManager] = ShownManager()

    class Meta:
        proxy = True


class ActiveLanguage(models.ForeignObject):
    """A join with the row of the language that is active.

    Source: tests/foreign_object/models/article.py, of Django 5.2.
    """

    def get_extra_restriction(self, alias: Any, related_alias: Any) -> Any:
        column = self.remote_field.model._meta.get_field("lang").get_col(alias)
        return column.output_field.get_lookup("exact")(column, get_language())


class Article(models.Model):
    """A row with texts in languages, and notes of any kind of row."""

    active = ActiveLanguage(
        "Text",
        from_fields=["id"],
        to_fields=["article"],
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
    )
    size = models.IntegerField(default=0)
    notes = GenericRelation("Note")
    tags = models.ManyToManyField("Tag", through="Tagging", related_name="articles")

    def __str__(self) -> str:
        return str(self.pk)


class Text(models.Model):
    """An article's text in one language."""

    article = models.ForeignKey(Article, models.CASCADE, related_name="texts")
    lang = models.CharField(max_length=5)
    title = models.CharField(max_length=20)

    class Meta:
        unique_together = ("article", "lang")

    def __str__(self) -> str:
        return self.title


class Note(models.Model):
    """A note of any row."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey()
    text = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.text


class Tag(models.Model):
    """Known by its text."""

    text = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.text


class TaggingManager(models.Manager["Tagging"]):
    """Rows of the word of the moment."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(name=Moment.word)


class Tagging(models.Model):
    """Between articles and tags, by a column that is no key; the tag may be none."""

    article = models.ForeignKey(Article, models.CASCADE)
    tag = models.ForeignKey(Tag, models.CASCADE, to_field="text", null=True)
    name = models.CharField(max_length=20, default="a")

    objects: ClassVar[TaggingManager] = TaggingManager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.name


class ReversedField(models.CharField):
    """Texts that are reversed in the database."""

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return None if value is None else value[::-1]

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value)[::-1]


class UpperField(models.CharField):
    """Texts that the database makes large."""

    def get_placeholder(self, _value: Any, _compiler: Any, _connection: Any) -> str:
        return "UPPER(%s)"


class Thing(models.Model):
    """Columns of all kinds."""

    token = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    lasts = models.DurationField(null=True)
    amount = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    flag = models.BooleanField(null=True)
    data = models.JSONField(null=True)
    raw = models.BinaryField(null=True)
    ratio = models.FloatField(null=True)
    big = models.BigIntegerField(null=True)
    small = models.SmallIntegerField(null=True)
    number = models.IntegerField(null=True)
    positive = models.PositiveIntegerField(null=True)
    ip = models.GenericIPAddressField(null=True)
    text = models.CharField(max_length=50, null=True)  # noqa: DJ001 - null is told from nothing
    mirrored = ReversedField(max_length=50, null=True)
    upper = UpperField(max_length=50, null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    def __str__(self) -> str:
        return str(self.pk)
