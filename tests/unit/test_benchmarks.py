"""The benchmark suite's own arithmetic: bounds, what wrk prints, the page of the documentation."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import bounds, page, sockets
from benchmarks.registry import IMPLEMENTATIONS
from benchmarks.workloads import WORKLOADS, Answer

WRK = """Running 1s test @ http://127.0.0.1:1/api/hello
  1 threads and 8 connections
  Latency Distribution
     50%  174.00us
     75%    1.20ms
     90%    1.30ms
     99%    2.50ms
  2000 requests in 1.00s, 4.00MB read
Requests/sec:   1998.5
"""


def verdict(row, times, against):
    found = bounds.verdicts({"times": times})
    return next(one for one in found if (one.row, one.against) == (row, against))


def test_ratio_is_the_median_of_each_rounds_ratio():
    times = {"ours-django": {"list": [4, 9, 40]}, "django": {"list": [10, 10, 100]}}
    assert verdict("list", times, "django").measured == {"list": 0.4}


@pytest.mark.parametrize(("micros", "missed"), [(4.5, []), (4.6, ["list"])])
def test_a_bound_is_missed_when_it_is_exceeded(micros, missed):
    times = {"ours-flask": {"list": [micros]}, "flask": {"list": [10.0]}}
    assert verdict("list", times, "flask").missed() == missed


def test_requests_per_second_have_a_least_ratio():
    def load(value):
        return {"hello": [{"per_second": value, "p99": 1.0}]}

    found = bounds.verdicts({"sockets": {"ours-tornado": load(1.2), "tornado": load(1.0)}})
    assert [(one.row, one.missed()) for one in found] == [
        ("requests per second", ["hello"]),
        ("p99", []),
    ]


def test_what_wrk_prints_is_read():
    load = sockets.read(WRK, 0.5, are_faults_wanted=False)
    assert load == sockets.Load(per_second=1998.5, p50=174.0, p99=2500.0, cpu=250.0)


def test_a_wrong_status_over_a_socket_is_an_error():
    with pytest.raises(RuntimeError, match="wrong status"):
        sockets.read(WRK + "  Non-2xx or 3xx responses: 3\n", 0.5, are_faults_wanted=False)


def test_moments_are_compared_as_such():
    value = WORKLOADS["detail"].value
    first = Answer(status=200, body=b'{"created_at": "2026-01-01T00:00:00Z"}')
    second = Answer(status=200, body=b'{"created_at":"2026-01-01T01:00:00.000+01:00"}')
    assert value(first) == value(second)


def test_every_implementation_has_its_module_and_its_counterpart():
    for item in IMPLEMENTATIONS.values():
        name = item.module.rpartition(".")[2]
        assert (page.ROOT / "benchmarks" / "implementations" / f"{name}.py").exists()
        assert item.bare is None or item.bare in IMPLEMENTATIONS


def test_the_page_is_made_of_the_results_beside_it():
    results = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.make(results)


def test_the_page_names_no_place_of_the_machine():
    text = page.PAGE.read_text(encoding="utf-8") + page.RESULTS.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work)/", text)


def test_no_module_of_the_suite_is_long():
    for path in Path(page.ROOT / "benchmarks").rglob("*.py"):
        if path.name != "nested_rows.py":
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
