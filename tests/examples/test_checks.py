"""The example of the page on checks, in which nothing is found."""

from pathlib import Path

import pytest

from tests.checks.test_deployment import found
from tests.examples.copies import copy_of, uses

SIX = ("django", "flask", "starlette", "fastapi", "sanic", "tornado")


@pytest.mark.parametrize("backend", SIX)
@uses("checks")
def test_service_that_is_right_is_found_right(backend: str, tmp_path: Path) -> None:
    assert found(copy_of("checks", tmp_path), backend) == []
