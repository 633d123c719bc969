"""What processes that have ended have counted, kept in one file of each kind.

prometheus_client keeps files for each process that has ever served, as the sums would fall without
them. Where processes are replaced by the hour, there would be ever more of them to be read.

Source: prometheus_client.multiprocess, of prometheus_client 0.26.
"""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Kinds of files whose values add up, whoever has counted them.
_KINDS = ("counter", "histogram", "summary")
_LOCK = "lock"
_MARK = "process_"


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep the other processes from reading or folding in the block; waits for those that are."""
    # Several processes count where there is one, which is no Windows.
    import fcntl

    lock = os.open(folder / _LOCK, os.O_RDONLY | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # A process that was forked meanwhile has the file open too.
            fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


def enlist(folder: Path) -> None:
    """Note that this process counts, so that its files are folded when it has ended.

    What is not noted is left as it is: files of processes that are named by something else than
    their ids, or whose ids mean something else here, as those of other containers do.
    """
    (folder / f"{_MARK}{os.getpid()}").write_text(_namespace(), encoding="utf-8")


def _namespace() -> str:
    """Return what says where process ids are the same: the machine's start, and the container."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    ids = Path("/proc/self/ns/pid")
    return f"{boot.read_text().strip()} {ids.readlink()}" if ids.is_symlink() else ""


def fold(folder: Path) -> None:
    """Add what ended processes have counted to a file of each kind, in place of theirs.

    What holds only as long as a process lives is dropped. To be called within `alone`.

    Args:
        folder: what `PROMETHEUS_MULTIPROC_DIR` names.
    """
    for pid in {pid for path in folder.glob("gauge_live*_*.db") for pid in _ended(path)}:
        forget(pid, folder)
    for kind in _KINDS:
        _go_on(folder, kind)
    here = _namespace()
    for mark in folder.glob(f"{_MARK}*"):
        for pid in _ended(mark):
            if mark.read_text(encoding="utf-8") == here:
                for kind in _KINDS:
                    path = folder / f"{kind}_{pid}.db"
                    if path.exists():
                        _add(folder, kind, path)
                mark.unlink()


def forget(pid: int, folder: Path) -> None:
    """Drop what holds only as long as a process lives; another one may be doing the same."""
    from prometheus_client import multiprocess

    drop: Any = multiprocess.mark_process_dead
    with contextlib.suppress(FileNotFoundError):
        drop(pid, str(folder))


def _ended(path: Path) -> list[int]:
    """Return the process that a file is of, when it has ended."""
    text = path.stem.rpartition("_")[2]
    return [int(text)] if text.isdigit() and not _lives(int(text)) else []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _add(folder: Path, kind: str, path: Path) -> None:
    """Add a file to the one of its kind.

    Whoever reads after an end in the midst of it finds each number once: before `path` is renamed
    the draft does not count, and afterwards `_go_on` does the rest.
    """
    from prometheus_client.mmap_dict import MmapedDict

    values: Any = MmapedDict
    whole, draft = _whole(folder, kind), _draft(folder, kind)
    sums: dict[str, float] = defaultdict(float)
    for source in (whole, path):
        # One that has ended as it made its file has left an empty one.
        if source.exists() and source.stat().st_size:
            for key, value, *_ in values.read_all_values_from_file(str(source)):
                sums[key] += value
    written = values(str(draft))
    for key, value in sums.items():
        written.write_value(key, value, 0.0)
    written.close()
    path.rename(path.with_suffix(".old"))
    _go_on(folder, kind)


def _go_on(folder: Path, kind: str) -> None:
    """Finish what was begun: a draft holds what the file does that was renamed, or nothing yet."""
    draft, old = _draft(folder, kind), list(folder.glob(f"{kind}_*.old"))
    if old and draft.exists():
        draft.replace(_whole(folder, kind))
    draft.unlink(missing_ok=True)
    for path in old:
        path.unlink()


def _whole(folder: Path, kind: str) -> Path:
    return folder / f"{kind}_ended.db"


def _draft(folder: Path, kind: str) -> Path:
    return folder / f"{kind}_ended.draft"
