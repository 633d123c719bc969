"""What a schema is used for: reading, creating, updating, and updating in part."""

from dataclasses import dataclass
from typing import Any

LETTERS = frozenset("raw")


@dataclass(frozen=True, slots=True)
class Mode:
    """A use of a schema; `ArticleSchema[orm.A]` is the schema with what belongs to it.

    Type checkers take `Annotated[ArticleSchema, orm.A]`, which is the same.

    Attributes:
        name: `R`, `A`, `W` or `WP`.
        letter: the letter of `orm.Field(mode=...)` that fields of this use have.
        partial: whether nothing has to be sent.
    """

    name: str
    letter: str
    partial: bool = False

    @property
    def writes(self) -> bool:
        """Whether instances are written to the database."""
        return self.letter != "r"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return the validator of an annotated schema in this mode."""
        return handler.generate_schema(source[self])

    def __repr__(self) -> str:
        return f"orm.{self.name}"


# Reading: what answers hold.
R = Mode("R", "r")
# Creating (the body of a POST).
A = Mode("A", "a")
# Updating as a whole (the body of a PUT).
W = Mode("W", "w")
# Updating what is sent (the body of a PATCH).
WP = Mode("WP", "w", partial=True)
