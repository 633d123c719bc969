"""Where a project lives."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from utilmeta.conf.project import project_dir


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "unit_project" / "config"
    folder.mkdir(parents=True)
    (tmp_path / "unit_project" / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "env.py").write_text("")
    (tmp_path / "unit_project_single.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("unit_project")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "name",
    ["unit_project", "unit_project.config", "unit_project.config.env", "unit_project_single"],
)
def test_project_dir_holds_the_top_level_package(project: Path, name: str):
    importlib.import_module(name)
    assert project_dir(name) == project


def test_project_dir_of_a_module_without_file_is_the_working_directory():
    assert project_dir("sys") == Path.cwd()
    assert project_dir("no_such_module") == Path.cwd()
