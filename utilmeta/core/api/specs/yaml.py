"""JSON values as YAML 1.2, of which JSON is a part: texts are written as JSON has them."""

import json
import re
from typing import Any

# Texts that mean themselves without quotes.
_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.{}-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


def to_yaml(value: Any) -> str:
    """Return a JSON value as a YAML document."""
    return "\n".join(_lines(value, 0)) + "\n"


def _lines(value: Any, depth: int) -> list[str]:
    pad = "  " * depth
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            lines += _entry(f"{pad}{_scalar(str(key))}:", item, depth)
        return lines
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            inner = _lines(item, depth + 1)
            if isinstance(item, dict | list) and item:
                inner[0] = f"{pad}- {inner[0].lstrip()}"
                lines += inner
            else:
                lines.append(f"{pad}- {_scalar(item)}")
        return lines
    return [pad + _scalar(value)]


def _entry(head: str, item: Any, depth: int) -> list[str]:
    if isinstance(item, dict | list) and item:
        return [head, *_lines(item, depth + 1)]
    return [f"{head} {_scalar(item)}"]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS and "{" not in value[:1]
        return value if is_plain and "{" not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
