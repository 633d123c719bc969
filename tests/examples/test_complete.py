"""Every example of the documentation is run by a test."""

from importlib import import_module
from pathlib import Path

from tests.examples.copies import EXAMPLES, exercised


def test_every_example_is_exercised_by_a_test():
    for module in Path(__file__).parent.glob("test_*.py"):
        import_module(f"tests.examples.{module.stem}")
    folders = [path.name for path in EXAMPLES.iterdir() if path.is_dir()]
    assert sorted(exercised) == sorted(folders)
