"""Writes files without overwriting what somebody has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from utilmeta.utils.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How files on the disk are to those that are to be written; names in order.

    Attributes:
        new: there are none yet.
        same: nothing has to be done for them.
        different: somebody has changed them, or the service has changed since.
    """

    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def compare(folder: Path, files: Mapping[str, str]) -> Comparison:
    """Compare files with those on the disk.

    Args:
        folder: where they lie.
        files: name to text.

    Raises:
        ConfigError: one cannot be read.
    """
    found = Comparison()
    for name in sorted(files):
        path = folder / name
        try:
            known = path.read_bytes()
        except FileNotFoundError:
            found.new.append(name)
            continue
        except OSError as exc:
            raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc
        (found.same if known == files[name].encode() else found.different).append(name)
    return found


def write(folder: Path, files: Mapping[str, str], *, force: bool) -> Comparison:
    """Write files; all of them, or none when one would be lost.

    Args:
        folder: where to; made when it is missing.
        files: name to text.
        force: whether files that differ are overwritten.

    Raises:
        ConfigError: some differ and `force` is not given, or one cannot be written.
    """
    found = compare(folder, files)
    if found.different and not force:
        raise ConfigError(
            f"{folder}: {', '.join(found.different)} would be overwritten; nothing was written. "
            "Move what you have changed into the service's Deployment, or give --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in [*found.new, *found.different]:
            (folder / name).write_bytes(files[name].encode())
    except OSError as exc:
        raise ConfigError(f"{folder} cannot be written to: {exc}") from exc
    return found
