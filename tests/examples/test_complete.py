"""Every example of the documentation is run by a test."""

from importlib import import_module
from pathlib import Path

from tests.examples.copies import EXAMPLES, exercised


def test_every_example_is_exercised_by_a_test():
    for module in Path(__file__).parent.glob("test_*.py"):
        import_module(f"tests.examples.{module.stem}")
    folders = [path.name for path in EXAMPLES.iterdir() if path.is_dir()]
    assert sorted(exercised) == sorted(folders)


def test_pages_include_files_that_exist():
    marks = [
        (page.name, line)
        for page in (EXAMPLES.parent).glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("--8")
    ]
    included = [line.removeprefix('--8<-- "').removesuffix('"') for _, line in marks]
    assert len(marks) > 15
    assert [path for path in included if not (EXAMPLES.parent.parent / path).is_file()] == []
