"""The management command that fills the Conduit tables with sample data."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.text import slugify

from testproject.conduit.models import Article, Comment, Favorite, Follow, Tag, User

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

START = datetime(2026, 1, 1, tzinfo=UTC)
ARTICLE_STEP = timedelta(hours=1)
EDIT_DELAYS = (timedelta(0), timedelta(minutes=10), timedelta(days=1), timedelta(days=30))
BATCH_SIZE = 500
PASSWORD = "conduit-demo"  # noqa: S105 - of all users there are in the sample data

# Digits would break the uniqueness of names that end in a number.
TAG_WORDS = (
    "garden", "café", "music", "数据", "travel", "naïve", "science", "音乐", "cooking", "über",
    "history", "łódź", "weather", "математика", "design", "señal", "books", "日本", "sport", "ελιά",
)  # fmt: skip
WORDS = (
    *TAG_WORDS,
    "river", "stone", "light", "paper", "window", "bridge", "market", "engine", "letter", "winter",
    "island", "forest", "signal", "copper", "harbor", "crème", "brûlée", "façade", "jalapeño",
    "smörgås", "文章", "世界", "こんにちは", "привет", "مرحبا", "🌱", "🚀", "📚", "👩‍🚀", "🇪🇺",
)  # fmt: skip
NAME_WORDS = ("river", "stone", "renée", "winter", "söder", "harbor", "文", "copper")


@cache
def hashed_password() -> str:
    """Returns the hash of the password; made once, as hashing takes long on purpose."""
    return make_password(PASSWORD, salt="conduit-sample-data")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind to make."""

    users: int
    articles: int
    tags: int
    comments: int
    favorites: int
    follows: int

    def problems(self) -> list[str]:
        """Returns what makes these counts impossible to satisfy."""
        negative = [name for name in self.__slots__ if getattr(self, name) < 0]
        if negative:
            return [f"--{name} must not be negative." for name in negative]
        pairs = self.users * self.articles
        other_users = max(self.users - 1, 0)
        rules = (
            (self.articles and not self.users, "--articles needs at least one of --users."),
            (self.comments and not self.articles, "--comments needs at least one of --articles."),
            (
                self.favorites > pairs,
                f"--favorites must be at most {pairs}, --users times --articles.",
            ),
            (
                self.follows > self.users * other_users,
                f"--follows must be at most {self.users * other_users}, each of the --users "
                f"following the {other_users} others.",
            ),
        )
        return [message for broken, message in rules if broken]


class SampleData:
    """Makes the rows, the same ones for the same seed and counts."""

    def __init__(self, counts: Counts, seed: int) -> None:
        """Makes no rows yet; `create` does."""
        self._counts = counts
        self._random = Random(seed)  # noqa: S311

    def create(self) -> None:
        """Inserts all rows; needs a transaction around it."""
        users = self._create_users()
        self._create_follows(users)
        tags = self._create_tags()
        articles = self._create_articles(users)
        self._tag_articles(articles, tags)
        self._create_favorites(users, articles)
        self._create_comments(users, articles)

    def _words(self, least: int, most: int) -> str:
        count = self._random.randint(least, most)
        return " ".join(self._random.choices(WORDS, k=count))

    def _sentence(self) -> str:
        words = self._words(5, 14)
        return f"{words[0].upper()}{words[1:]}."

    def _text(self, least: int, most: int) -> str:
        count = self._random.randint(least, most)
        return " ".join(self._sentence() for _ in range(count))

    def _moment(self, start: datetime, longest: timedelta) -> datetime:
        return start + timedelta(seconds=self._random.randrange(int(longest.total_seconds())))

    def _create_users(self) -> list[User]:
        users = [
            User(
                username=f"{self._random.choice(NAME_WORDS)}{number:04}",
                email=f"user{number:04}@example.com",
                password=hashed_password(),
                bio=self._text(0, 3),
                image=f"https://example.com/images/{number}.png" if number % 3 else None,
                date_joined=self._moment(START - timedelta(days=365), timedelta(days=365)),
            )
            for number in range(1, self._counts.users + 1)
        ]
        return User.objects.bulk_create(users, batch_size=BATCH_SIZE)

    def _create_follows(self, users: list[User]) -> None:
        others = len(users) - 1
        follows = []
        for pair in self._random.sample(range(len(users) * others), self._counts.follows):
            follower, followed = divmod(pair, others)
            # Counting the others without the follower leaves nobody to follow themself.
            followed += followed >= follower
            follows.append(
                Follow(
                    follower=users[follower],
                    followed=users[followed],
                    created_at=self._moment(START, timedelta(days=30)),
                )
            )
        Follow.objects.bulk_create(follows, batch_size=BATCH_SIZE)

    def _create_tags(self) -> list[Tag]:
        tags = []
        for number in range(self._counts.tags):
            turn, index = divmod(number, len(TAG_WORDS))
            name = TAG_WORDS[index]
            tags.append(Tag(name=f"{name}-{turn + 1}" if turn else name))
        return Tag.objects.bulk_create(tags, batch_size=BATCH_SIZE)

    def _create_articles(self, users: list[User]) -> list[Article]:
        articles = []
        for number in range(1, self._counts.articles + 1):
            title = f"{self._words(2, 6)} {number}"
            articles.append(
                Article(
                    author=self._random.choice(users),
                    slug=slugify(title),
                    title=f"{title[0].upper()}{title[1:]}",
                    description=self._sentence(),
                    body="\n\n".join(self._text(2, 5) for _ in range(3)),
                    # One each step keeps the moments distinct and in the order of the rows.
                    created_at=self._moment(START + number * ARTICLE_STEP, ARTICLE_STEP),
                )
            )
        articles = Article.objects.bulk_create(articles, batch_size=BATCH_SIZE)
        self._date_edits(articles)
        return articles

    def _date_edits(self, articles: list[Article]) -> None:
        """Sets `updated_at`, which `auto_now` dates today on insertion."""
        for index, delay in enumerate(EDIT_DELAYS):
            keys = [article.pk for article in articles[index :: len(EDIT_DELAYS)]]
            for first in range(0, len(keys), BATCH_SIZE):
                Article.objects.filter(pk__in=keys[first : first + BATCH_SIZE]).update(
                    updated_at=F("created_at") + delay
                )

    def _tag_articles(self, articles: list[Article], tags: list[Tag]) -> None:
        through = Article.tags.through
        most = min(4, len(tags))
        rows = [
            through(article_id=article.pk, tag_id=tag.pk)
            for article in articles
            for tag in self._random.sample(tags, self._random.randint(min(1, most), most))
        ]
        through.objects.bulk_create(rows, batch_size=BATCH_SIZE)

    def _create_favorites(self, users: list[User], articles: list[Article]) -> None:
        pairs = range(len(users) * len(articles))
        favorites = []
        for pair in self._random.sample(pairs, self._counts.favorites):
            user, article = divmod(pair, len(articles))
            favorites.append(
                Favorite(
                    user=users[user],
                    article=articles[article],
                    created_at=self._moment(articles[article].created_at, timedelta(days=30)),
                )
            )
        Favorite.objects.bulk_create(favorites, batch_size=BATCH_SIZE)

    def _create_comments(self, users: list[User], articles: list[Article]) -> None:
        comments = []
        for _ in range(self._counts.comments):
            article = self._random.choice(articles)
            comments.append(
                Comment(
                    article=article,
                    author=self._random.choice(users),
                    body=self._text(1, 3),
                    created_at=self._moment(article.created_at, timedelta(days=30)),
                )
            )
        Comment.objects.bulk_create(comments, batch_size=BATCH_SIZE)
        Comment.objects.update(updated_at=F("created_at"))


def flush() -> None:
    """Deletes all Conduit rows but the superusers."""
    for rows in (Comment.objects, Favorite.objects, Follow.objects, Article.objects, Tag.objects):
        rows.all().delete()
    User.objects.filter(is_superuser=False).delete()


class Command(BaseCommand):
    """Fills the Conduit tables with deterministic sample data."""

    help = (
        "Fills the Conduit tables with sample data, the same rows for the same options. "
        "Refuses to run when there are articles, unless told to flush them."
    )

    def add_arguments(self, parser: "CommandParser") -> None:
        """Adds the counts, the seed and what to do with existing rows."""
        for name, default in (
            ("users", 50),
            ("articles", 1000),
            ("tags", 20),
            ("comments", 10000),
            ("favorites", 5000),
            ("follows", 500),
        ):
            parser.add_argument(
                f"--{name}", type=int, default=default, help=f"Number of {name} (%(default)s)."
            )
        parser.add_argument(
            "--seed", type=int, default=1, help="Seed of the random choices (%(default)s)."
        )
        parser.add_argument(
            "--flush",
            action="store_true",
            help="First delete all articles, comments, favorites, follows and tags, and all "
            "users but superusers.",
        )
        parser.add_argument(
            "--if-empty", action="store_true", help="Do nothing when there are articles."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Makes the rows in one transaction and prints how many."""
        counts = Counts(**{name: options[name] for name in Counts.__slots__})
        if problems := counts.problems():
            raise CommandError(" ".join(problems))
        if not options["flush"] and Article.objects.exists():
            message = "There are articles already; "
            if not options["if_empty"]:
                message += "use --flush to replace them."
                raise CommandError(message)
            self.stdout.write(f"{message}nothing was changed.")
            return
        try:
            with transaction.atomic():
                if options["flush"]:
                    flush()
                SampleData(counts, options["seed"]).create()
        except IntegrityError as error:
            message = f"The sample data clashes with rows that exist already: {error}"
            raise CommandError(message) from error
        summary = ", ".join(f"{getattr(counts, name)} {name}" for name in Counts.__slots__)
        self.stdout.write(self.style.SUCCESS(f"Created {summary} (seed {options['seed']})."))
