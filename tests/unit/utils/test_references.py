"""Dotted references and the errors of wrong ones."""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.references import load_reference, split_reference

WHAT = "UtilMeta(api=...)"


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("shop.api.RootAPI", ("shop.api", "RootAPI")),
        ("shop:RootAPI", ("shop", "RootAPI")),
        ("shop.api:Outer.Inner", ("shop.api", "Outer.Inner")),
    ],
)
def test_split_reference_divides_module_and_attribute(reference: str, parts: tuple[str, str]):
    assert split_reference(reference) == parts


@pytest.mark.parametrize(
    "reference", ["", "RootAPI", ".RootAPI", "shop.", "shop:", ":x", "a b.c", "shop/api.py", "a..b"]
)
def test_split_reference_refuses_what_is_none_and_shows_one(reference: str):
    with pytest.raises(ConfigError) as caught:
        split_reference(reference)
    assert repr(reference) in str(caught.value)
    assert "'package.module.Name'" in str(caught.value)


@pytest.mark.parametrize("reference", ["math.pi", "math:pi"])
def test_load_reference_imports(reference: str):
    assert load_reference(reference, what=WHAT) is math.pi


def test_load_reference_follows_attributes():
    assert load_reference("pathlib:Path.home", what=WHAT) == Path.home


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package `unit_refs` on the import path, with a good and several broken modules."""
    folder = tmp_path / "unit_refs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "service.py").write_text("class RootAPI: pass\nNAME = 1\n")
    (folder / "needs.py").write_text("import unit_refs_not_there\n")
    (folder / "broken.py").write_text("from math import no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "unit_refs"
    for name in [name for name in sys.modules if name.startswith("unit_refs")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("unit_refs.service.RotAPI", ["'unit_refs.service'", "'RotAPI'", "mean 'RootAPI'"]),
        ("unit_refs.servce.RootAPI", ["'unit_refs.servce'", "mean 'service'"]),
        ("unit_ref.service.RootAPI", ["'unit_ref'", "mean 'unit_refs'"]),
        ("unit_refs.needs.RootAPI", ["'unit_refs.needs' failed", "unit_refs_not_there"]),
        ("unit_refs.service.RootAPI.Inner", ["unit_refs.service.RootAPI"]),
        ("unit_refs.service:RootAPI.Inner", ["'RootAPI.Inner'"]),
        ("no_such_pkg_at_all.sub.mod.X", ["'no_such_pkg_at_all'"]),
    ],
)
def test_load_reference_tells_what_is_wrong(package: str, reference: str, told: list[str]):
    with pytest.raises(ConfigError) as caught:
        load_reference(reference, what=WHAT)
    message = str(caught.value)
    assert message.startswith(WHAT)
    assert repr(reference) in message
    for part in told:
        assert part in message


def test_load_reference_below_a_plain_value_is_told(package: str):
    with pytest.raises(ConfigError, match=r"'NAME\.inner'"):
        load_reference("unit_refs.service:NAME.inner", what=WHAT)


def test_load_reference_names_itself_when_the_module_fails_to_import(package: str):
    with pytest.raises(ConfigError) as caught:
        load_reference("unit_refs.broken.RootAPI", what=WHAT)
    assert "'unit_refs.broken' failed" in str(caught.value)
    assert isinstance(caught.value.__cause__, ImportError)
