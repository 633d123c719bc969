"""Formatters: whatever a record holds, there is a line, and nothing in it looks like another."""

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from utilmeta.utils.logs import (
    JSONLines,
    ReadableLines,
    RequestLabels,
    current_labels,
    is_request_id,
)


def record(message: Any = "said", *args: Any, **extra: Any) -> logging.LogRecord:
    found = logging.LogRecord("a.logger", logging.INFO, __file__, 1, message, args, None)
    found.__dict__.update(extra)
    return found


def as_json(*args: Any, **extra: Any) -> dict[str, Any]:
    line = JSONLines().format(record(*args, **extra))
    assert len(line.splitlines()) == 1
    loaded: dict[str, Any] = json.loads(line)
    return loaded


@dataclass
class Labels:
    id: str | None
    trace: tuple[str, str] | None = None


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


LOOP: list[Any] = []
LOOP.append(LOOP)


def test_json_line_has_what_is_promised():
    token = current_labels.set(Labels("r-1", ("a" * 32, "b" * 16)))
    try:
        line = as_json("%s said é 妙", "she", shop="Zürich", password="x", time="mine")
    finally:
        current_labels.reset(token)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "a.logger",
        "message": "she said é 妙",
        "request_id": "r-1",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
        "shop": "Zürich",
        "password": "***",
        "extra_time": "mine",
    }
    assert "é 妙" in JSONLines().format(record("é 妙"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        pytest.param(10**5000, "<int of 16610 bits>", id="long"),
        (b"\xff", "b'\\xff'"),
        ("\ud800", "\\ud800"),
        (Rude(), "<Rude: RuntimeError>"),
        ({1: {2}, None: (Rude(),)}, {"1": [2], "None": ["<Rude: RuntimeError>"]}),
        ([1.5, True, None], [1.5, True, None]),
    ],
)
def test_json_line_shows_odd_values(value: Any, shown: Any):
    assert as_json(odd=value)["odd"] == shown


@pytest.mark.parametrize("formatter", [JSONLines(), ReadableLines()])
@pytest.mark.parametrize(
    "odd",
    [
        record("%d", "no number"),
        record("%s %s", 1),
        record(Rude()),
        record("%s", Rude()),
        record("\ud800"),
        record(odd=LOOP),
        record(odd={LOOP.__class__: Rude}),
        record(**{"\ud800\n": 1}),
    ],
)
def test_no_record_raises(formatter: logging.Formatter, odd: logging.LogRecord):
    line = formatter.format(odd)
    assert len(line.splitlines()) == 1
    line.encode()


ENDS = "a\nb\rc\x85d\u2028e\u2029f\x0bg\x0ch\x1b[31mi\x00"


@pytest.mark.parametrize("formatter", [JSONLines(), ReadableLines()])
def test_no_text_ends_a_line(formatter: logging.Formatter):
    token = current_labels.set(Labels("r-1"))
    try:
        line = formatter.format(record(ENDS, field=ENDS))
    finally:
        current_labels.reset(token)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def raised() -> logging.LogRecord:
    text = "one\n12:00:00.000 INFO    root: forged"
    try:
        json.loads(text)
    except ValueError as exc:
        exc.args = (text,)
        found = record("failed")
        found.exc_info = sys.exc_info()
    return found


def test_tracebacks_are_indented_where_people_read_them():
    lines = ReadableLines().format(raised()).splitlines()
    assert lines[0].endswith("INFO    a.logger: failed")
    assert lines[-1] == "    12:00:00.000 INFO    root: forged"
    assert all(line.startswith("    ") for line in lines[1:])


def test_tracebacks_are_one_member_of_json():
    line = JSONLines().format(raised())
    assert len(line.splitlines()) == 1
    assert json.loads(line)["exception"].endswith("root: forged")


def test_readable_line_shows_fields_that_its_message_does_not():
    token = current_labels.set(Labels("r-1"))
    try:
        line = ReadableLines().format(record("GET", method="GET", size=3, _told=("method",)))
    finally:
        current_labels.reset(token)
    assert line.endswith("a.logger: GET size=3 [r-1]")


def test_requests_of_django_are_not_shown():
    assert "request" not in as_json(request="<WSGIRequest: GET '/?token=hidden'>")


def test_labels_are_there_for_formats_of_a_project():
    found = record()
    assert RequestLabels().filter(found)
    assert (found.request_id, found.trace_id) == ("-", "-")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("a", True), ("A-z_0.9", True), ("a" * 128, True)]
    + [(text, False) for text in ("", "a" * 129, "a b", "é", "a\n", "a/b")],
)
def test_ids_are_plain(text: str, is_one: bool):
    assert is_request_id(text) is is_one
