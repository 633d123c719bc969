"""Which names hold secrets, and what is shown instead of their values."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

MASK = "***"

_SECRET_WORDS = re.compile(
    r"(?:^|[_\-. ])(?:pass|passwd|password|passphrase|pwd|secrets?|tokens?|keys?|apikey|dsn|"
    r"credentials?|signature|cookie|authorization|session|sessionid|salt|pin|cvv)(?:$|[_\-. 0-9])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Names that hold one of the words but are known to be harmless.
_PUBLIC = frozenset({"primary_key", "public_key", "foreign_key", "order_key", "sort_key"})


def is_secret(name: str) -> bool:
    """Return whether a variable of this name looks as if it held a secret.

    Word borders count: `api_key` and `accessToken` are secret, `monkey` and `keyboard` are not.
    """
    flat = _CAMEL.sub("_", name).lower()
    if flat in _PUBLIC:
        return False
    compact = flat.replace("_", "")
    if any(word in compact for word in ("password", "secret", "passwd", "apikey")):
        return True
    return _SECRET_WORDS.search(flat) is not None


def mask_url(url: str) -> str:
    """Return the URL with its password, if it has one, replaced by `***`."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{MASK}@{host}"))


def mask(value: object, name: str = "") -> object:
    """Return the value as it may be shown: secrets, however deep, replaced by `***`.

    Args:
        value: anything; mappings and sequences are copied, never changed.
        name: the name the value is known by.
    """
    if name and is_secret(name) and value not in (None, "", b""):
        return MASK
    if isinstance(value, Mapping):
        return {key: mask(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (
            type(value)([mask(item) for item in value]) if type(value) in (list, tuple) else value
        )
    if isinstance(value, str) and "://" in value:
        return mask_url(value)
    return value
