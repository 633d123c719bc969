"""What is installed beside this Python."""

from importlib.metadata import PackageNotFoundError, distribution


def is_pyuwsgi() -> bool:
    """Return whether `uwsgi` is pyuwsgi's script; where neither is installed, it is."""
    for name, found in (("pyuwsgi", True), ("uWSGI", False)):
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        return found
    return True
