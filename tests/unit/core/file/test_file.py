"""Files received from clients."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.file import File
from utilmeta.core.file.file import safe_name


@pytest.mark.parametrize("content", [b"abcdef", io.BytesIO(b"abcdef")], ids=["bytes", "file"])
def test_file_is_read_in_parts_and_saved_whole(content: object, tmp_path: Path):
    file = File(content, filename="a.txt", content_type="text/plain")
    assert (file.size, file.content_type) == (6, "text/plain")
    assert (file.read(2), file.read(), file.read()) == (b"ab", b"cdef", b"")
    saved = file.save(tmp_path / "new" / "folder")
    assert saved == tmp_path / "new" / "folder" / "a.txt"
    assert saved.read_bytes() == b"abcdef"


def test_save_takes_another_name_and_never_overwrites(tmp_path: Path):
    File(b"1", filename="a").save(tmp_path, "b.txt")
    with pytest.raises(FileExistsError):
        File(b"2", filename="a").save(tmp_path, "b.txt")
    assert (tmp_path / "b.txt").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../b", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "a\0b"])
def test_save_refuses_names_that_leave_the_folder(name: str, tmp_path: Path):
    with pytest.raises(ValueError, match=r"File\.save"):
        File(b"1", filename="a").save(tmp_path / "in", name)
    assert list(tmp_path.rglob("*")) == []


def test_save_without_any_name_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="no plain file name"):
        File(b"1").save(tmp_path)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("/abs/é.png", "é.png"),
        ("a\0b\r\n.txt", "ab.txt"),
        ('a"b<c>.txt', "abc.txt"),
        (".hidden", ".hidden"),
        ("..", None),
        ("", None),
        (None, None),
        (" . ", None),
    ],
)
def test_filename_keeps_its_last_part(given: str | None, kept: str | None):
    assert File(b"", filename=given).filename == kept


@given(st.text())
def test_safe_name_is_always_a_plain_name(name: str):
    safe = safe_name(name)
    if safe is not None:
        assert Path("folder", safe).parent == Path("folder")
        assert safe.isprintable()
        assert safe_name(safe) == safe
