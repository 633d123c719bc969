"""Log records as lines: JSON or text, both with the request they belong to."""

import logging
import math
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from utilmeta.utils.masking import MASK, is_secret, mask, mask_url


class Labels(Protocol):
    """What log records of one request have in common.

    Attributes:
        id: the request's id; None where none is given.
        trace: trace id and span id in hexadecimal; None without tracing.
    """

    id: str | None
    trace: tuple[str, str] | None


# The request that is being answered; each task, thread and lane has its own value.
current_labels: ContextVar[Labels | None] = ContextVar("utilmeta_labels", default=None)

# What each record has, which is told by the line itself or by nobody.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Extra fields of Django and uvicorn: a whole request, whose query may hold secrets, and colours.
_DROPPED = frozenset({"request", "color_message"})
# Names of our own in a JSON line.
_TAKEN = frozenset(
    {"time", "level", "logger", "request_id", "trace_id", "span_id", "exception", "stack"}
)

# Whatever a terminal or a reader of lines could take for the end of a line, or for a command.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROLS |= {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_IN_JSON = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}

_SCALARS = frozenset({str, int, float, bool, type(None)})

# How deep, and how wide, values of extra fields are shown.
_DEPTH = 6
_WIDTH = 1000
# Bits of the longest number that readers of JSON take for one, and of the longest in digits.
_BITS, _MOST_BITS = 63, 1024

_encode = msgspec.json.Encoder().encode

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def is_request_id(text: str) -> bool:
    """Return whether a text may be the id of a request: 1 to 128 of `A-Z a-z 0-9 . _ -`."""
    return _ID.fullmatch(text) is not None


def shown_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return a record's extra fields, secrets masked; names that begin with `_` are not shown."""
    return {
        name: _masked(name, value)
        for name, value in vars(record).items()
        if name not in _OWN and name not in _DROPPED and not name.startswith("_")
    }


def _masked(name: str, value: object) -> Any:
    if value.__class__ in _SCALARS:
        # What nearly all fields hold.
        if value is not None and value != "" and is_secret(name):
            return MASK
        return mask_url(value) if value.__class__ is str else value
    try:
        return mask(value, name)
    except Exception as exc:  # values of any class may come here, and a log line must not fail
        return f"<{type(value).__name__}: {type(exc).__name__}>"


def _text(value: object) -> str:
    if value.__class__ is str and value.isascii():
        return value
    try:
        text = str(value)
    except Exception as exc:  # as above
        text = f"<{type(value).__name__}: {type(exc).__name__}>"
    # Halves of surrogate pairs cannot be written.
    return text.encode("utf-8", "backslashreplace").decode()


def _message(record: logging.LogRecord) -> str:
    try:
        return _text(record.getMessage())
    except Exception:  # arguments that do not fit their template
        return f"{_text(record.msg)} {_text(record.args)}"


def plain(value: object, depth: int = _DEPTH) -> Any:
    """Return a value as JSON can hold it; never raises.

    Args:
        value: anything.
        depth: levels below which containers are shown as text.
    """
    if value is None or isinstance(value, bool):
        return value
    if value.__class__ is str:
        return _text(value)
    if isinstance(value, int):
        bits = value.bit_length()
        if bits <= _BITS:
            return int(value)
        return str(int(value)) if bits <= _MOST_BITS else f"<int of {bits} bits>"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if depth and isinstance(value, dict | list | tuple | set | frozenset) and len(value) <= _WIDTH:
        if isinstance(value, dict):
            return {_text(key): plain(item, depth - 1) for key, item in value.items()}
        return [plain(item, depth - 1) for item in value]
    return _text(value)


def _time(created: float) -> str:
    """Return a moment in UTC as RFC 3339 has it, with milliseconds."""
    seconds, rest = divmod(created, 1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{moment}.{int(rest * 1000):03d}Z"


class _Formatter(logging.Formatter):
    """What both kinds of lines share: whatever happens, there is a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the lines, of a record; never raises."""
        try:
            return self.line(record)
        except Exception as exc:  # a record that cannot be shown must not end what it tells of
            return self.fallback(record, f"{type(exc).__name__} while this record was formatted")

    def line(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        raise NotImplementedError

    def fallback(self, record: logging.LogRecord, why: str) -> str:
        """Return the line of a record that cannot be shown."""
        raise NotImplementedError

    def _exception(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return record.exc_text or None


class JSONLines(_Formatter):
    """One JSON object a line: `time level logger message`, the request's id, and extra fields.

    `time` is UTC (RFC 3339). `request_id`, `trace_id` and `span_id` are there where they are known,
    `exception` holds the traceback, extra fields stand beside them under their own names. Values of
    any kind are shown; text stays readable, and nothing in it ends the line.
    """

    def line(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        told: dict[str, Any] = {
            "time": _time(record.created),
            "level": _text(record.levelname),
            "logger": _text(record.name),
            "message": _message(record),
            **labels_of(record),
        }
        for name, value in shown_fields(record).items():
            told[f"extra_{name}" if name in _TAKEN else _text(name)] = plain(value)
        exception = self._exception(record)
        if exception is not None:
            told["exception"] = _text(exception)
        if record.stack_info:
            told["stack"] = _text(record.stack_info)
        line = _encode(told).decode()
        return line if line.isascii() and "\x7f" not in line else line.translate(_IN_JSON)

    def fallback(self, record: logging.LogRecord, why: str) -> str:
        """Return the line of a record that cannot be shown."""
        return _encode(
            {
                "time": _time(record.created),
                "level": _text(record.levelname),
                "logger": _text(record.name),
                "message": why,
            }
        ).decode()


class ReadableLines(_Formatter):
    """A line for people: `time level logger message`, extra fields, and the request's id.

    Line breaks and other control characters in it are shown as escapes, and each line of a
    traceback is indented, so that nothing can look like another record.
    """

    def line(self, record: logging.LogRecord) -> str:
        """Return the line of a record, and its traceback below."""
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        parts = [
            f"{moment}.{int(record.created % 1 * 1000):03d} {record.levelname:<7} {record.name}:",
            _message(record),
        ]
        told = getattr(record, "_told", ())
        parts += [
            f"{_text(name)}={_text(value)}"
            for name, value in shown_fields(record).items()
            if name not in told and value is not None
        ]
        request_id = labels_of(record).get("request_id")
        if request_id is not None:
            parts.append(f"[{request_id}]")
        lines = [" ".join(parts).translate(_CONTROLS)]
        for below in (self._exception(record), record.stack_info):
            if below:
                lines += [f"    {line.translate(_CONTROLS)}" for line in _text(below).split("\n")]
        return "\n".join(lines)

    def fallback(self, record: logging.LogRecord, why: str) -> str:
        """Return the line of a record that cannot be shown."""
        return f"{record.levelname} {record.name}: {why}".translate(_CONTROLS)


def labels_of(record: logging.LogRecord) -> Mapping[str, str]:
    """Return the ids of the request that a record belongs to, by name.

    Args:
        record: those it was given by `RequestLabels`, or those of the running request.
    """
    labels: Labels | None = getattr(record, "_labels", None) or current_labels.get()
    if labels is None:
        return {}
    found = {} if labels.id is None else {"request_id": labels.id}
    if labels.trace is not None:
        found["trace_id"], found["span_id"] = labels.trace
    return found


class RequestLabels(logging.Filter):
    """Gives records `request_id`, `trace_id` and `span_id`, for formats of a project's own.

    Each is `-` where there is none. It lets every record pass.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the ids on a record."""
        found = labels_of(record)
        for name in ("request_id", "trace_id", "span_id"):
            setattr(record, name, found.get(name, "-"))
        return True
