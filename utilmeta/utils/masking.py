"""Which names hold secrets, and what is shown instead of their values."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pydantic

MASK = "***"

_SECRET_WORDS = re.compile(
    r"(?:^|[_\-. ])(?:pass|passwd|password|passphrase|pwd|secrets?|tokens?|keys?|apikey|dsn|"
    r"credentials?|signature|cookie|authorization|session|sessionid|salt|pin|cvv)(?:$|[_\-. 0-9])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Names that hold one of the words but are known to be harmless.
_PUBLIC = frozenset({"primary_key", "public_key", "foreign_key", "order_key", "sort_key"})


# Names of what is known about a secret, such as `COOKIE_AGE` or `MAX_TOKENS`.
_ABOUT = re.compile(
    r"_(?:age|name|prefix|path|domain|secure|timeout|ttl|size|length|count|limit|samesite|httponly|"
    r"algorithm)$|^(?:max|min|num)_"
)
# The same words at the end of names written as one, such as `authtoken`.
_ENDINGS = ("token", "tokens", "accesskey", "privatekey", "secretkey", "dsn")
_PARAMETER = re.compile(r"([?&;])([^=?&;#\s]+)=([^&;#\s]*)")
# Where one URL of a list ends and the next begins.
# Longest name that is kept in mind.
_REMEMBERED = 100
_NEXT_URL = re.compile(r"(?<=,)(?=\w{1,20}://)|(\s+)")


def is_secret(name: str) -> bool:
    """Return whether a variable of this name looks as if it held a secret.

    Word borders count: `api_key` and `accessToken` are secret, `monkey` and `keyboard` are not.
    """
    return _is_secret(name) if len(name) <= _REMEMBERED else _looks_secret(name)


def _looks_secret(name: str) -> bool:
    flat = _CAMEL.sub("_", name).lower()
    if flat in _PUBLIC or _ABOUT.search(flat):
        return False
    compact = flat.replace("_", "")
    if any(word in compact for word in ("password", "secret", "passwd", "apikey")):
        return True
    return compact.endswith(_ENDINGS) or _SECRET_WORDS.search(flat) is not None


# Names are few; what clients make up is forgotten again.
_is_secret = lru_cache(2048)(_looks_secret)


def mask_url(text: str) -> str:
    """Return a text in which the passwords of all URLs are replaced by `***`."""
    if "://" not in text:
        return text
    text = "".join(_mask_login(part) for part in _NEXT_URL.split(text) if part)
    return _PARAMETER.sub(_mask_parameter, text)


def _mask_login(part: str) -> str:
    """Return one URL without its password, which may hold anything up to the last `@`."""
    start = part.find("://")
    end = part.rfind("@")
    colon = part.find(":", start + 3, end) if 0 <= start < end else -1
    return part if colon < 0 else f"{part[: colon + 1]}{MASK}{part[end:]}"


def _mask_parameter(found: re.Match[str]) -> str:
    divider, name, value = found.groups()
    return f"{divider}{name}={MASK if value and is_secret(name) else value}"


def mask(value: object, name: str = "") -> object:
    """Return the value as it may be shown: secrets, however deep, replaced by `***`.

    Args:
        value: anything; containers are copied, never changed; pydantic models become dictionaries.
        name: the name the value is known by.
    """
    if name and is_secret(name) and value not in (None, "", b""):
        return MASK
    if isinstance(value, str):
        return mask_url(value)
    if isinstance(value, pydantic.BaseModel):
        return mask(dict(value))
    if isinstance(value, Mapping):
        return {key: mask(item, str(key)) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        items: Any = value
        return type(items)([mask(item) for item in items])
    return value
