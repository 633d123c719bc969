"""Files are written without losing what somebody has changed."""

from pathlib import Path

import pytest

from utilmeta.deploy.writing import compare, write
from utilmeta.utils.exceptions import ConfigError

FILES = {"one.conf": "one\n", "two.conf": "zwei \u00fc\n", "three.conf": "three\n"}


def held(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_files_are_written_to_a_new_folder(tmp_path: Path):
    folder = tmp_path / "a" / "b"
    found = write(folder, FILES, force=False)
    assert found.new == ["one.conf", "three.conf", "two.conf"]
    assert (found.same, found.different) == ([], [])
    assert held(folder) == FILES


def test_files_that_are_right_are_not_touched(tmp_path: Path):
    write(tmp_path, FILES, force=False)
    (tmp_path / "one.conf").chmod(0o400)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    found = write(tmp_path, FILES, force=True)
    assert found.same == ["one.conf", "three.conf", "two.conf"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_nothing_is_written_when_one_file_would_be_lost(tmp_path: Path):
    (tmp_path / "two.conf").write_text("mine\n")
    with pytest.raises(ConfigError) as caught:
        write(tmp_path, FILES, force=False)
    assert "two.conf would be overwritten" in str(caught.value)
    assert "--force" in str(caught.value)
    assert held(tmp_path) == {"two.conf": "mine\n"}


def test_force_overwrites_and_leaves_other_files_alone(tmp_path: Path):
    (tmp_path / "two.conf").write_text("mine\n")
    (tmp_path / "other.conf").write_text("other\n")
    found = write(tmp_path, FILES, force=True)
    assert found.different == ["two.conf"]
    assert held(tmp_path) == {**FILES, "other.conf": "other\n"}


def test_bytes_that_are_no_text_differ(tmp_path: Path):
    (tmp_path / "one.conf").write_bytes(b"\xff\xfe")
    assert compare(tmp_path, FILES).different == ["one.conf"]


def test_line_ends_count(tmp_path: Path):
    (tmp_path / "one.conf").write_bytes(b"one\r\n")
    assert compare(tmp_path, FILES).different == ["one.conf"]


def test_folder_in_place_of_a_file_is_explained(tmp_path: Path):
    (tmp_path / "one.conf").mkdir()
    with pytest.raises(ConfigError, match=r"one\.conf cannot be read"):
        write(tmp_path, FILES, force=True)


def test_file_in_place_of_the_folder_is_explained(tmp_path: Path):
    (tmp_path / "deploy").write_text("")
    with pytest.raises(ConfigError, match="deploy"):
        write(tmp_path / "deploy", FILES, force=False)
