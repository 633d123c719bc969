"""Type annotations, looked at."""

from typing import Annotated, Any, Optional, Union

import pytest

from utilmeta.utils.annotations import admits_none, element_of, is_many, spell, strip_optional


@pytest.mark.parametrize(
    "annotation",
    [Optional[int], Union[int, None], int | None, Annotated[int | None, "x"], int | str | None],  # noqa: UP007, UP045
)
def test_admits_none_sees_every_spelling(annotation: Any):
    assert admits_none(annotation)


@pytest.mark.parametrize("annotation", [int, Annotated[int, None], int | str, None, Any])
def test_admits_none_is_false_without_one_beside_a_type(annotation: Any):
    assert not admits_none(annotation)


@pytest.mark.parametrize(
    ("annotation", "bare"),
    [
        (int | None, int),
        (Annotated[int | None, "x"], int),
        (Annotated[Optional[list[int]], "x"], list[int]),  # noqa: UP045
        (int | str | None, int | str | None),
        (int, int),
    ],
)
def test_strip_optional_leaves_the_type(annotation: Any, bare: Any):
    assert strip_optional(annotation) == bare


@pytest.mark.parametrize(
    ("annotation", "many"),
    [
        (list[int], True),
        (tuple, True),
        (set[str] | None, True),
        (frozenset[int], True),
        (str, False),
        (dict[str, int], False),
        (int | None, False),
    ],
)
def test_is_many_tells_sequences(annotation: Any, many: bool):
    assert is_many(annotation) is many


@pytest.mark.parametrize(
    ("annotation", "element"),
    [
        (list[int], (int, True)),
        (tuple[int, ...] | None, (int, True)),
        (list, (Any, True)),
        (list[int | None], (int, True)),
        (int | None, (int, False)),
    ],
)
def test_element_of_tells_what_is_held(annotation: Any, element: tuple[Any, bool]):
    assert element_of(annotation) == element


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (list[int], "list[int]"),
        (Optional[int], "Optional[int]"),  # noqa: UP045
        (int | None, "int | None"),
    ],
)
def test_spell_writes_as_people_do(annotation: Any, text: str):
    assert spell(annotation) == text
