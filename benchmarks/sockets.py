"""Requests per second over a socket: one worker on one core, wrk on the other.

| kind | server |
|---|---|
| wsgi | gunicorn, sync, one worker |
| asgi | uvicorn with uvloop and httptools, one worker, no access log |
| sanic, tornado, bolt | the framework's own, one process |

wrk keeps 8 connections from one thread. CPU is that of the server's processes, from `/proc`.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.data import Databases
from benchmarks.processes import environment, interpreter, working_directory
from benchmarks.registry import FLOOR, IMPLEMENTATIONS, Implementation
from benchmarks.rounds import is_same
from benchmarks.workloads import WORKLOADS, Answer, Workload

CONNECTIONS = 8
START_SECONDS = 20
HOST = "127.0.0.1"
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of wrk found.

    Attributes:
        per_second: requests.
        p50: microseconds until half of them were answered.
        p99: the same for 99 of 100.
        cpu: microseconds of the server's CPU for a request.
    """

    per_second: float
    p50: float
    p99: float
    cpu: float


def over_sockets(item: Implementation) -> frozenset[str]:
    """Return what of an implementation is loaded: of variants, only what is their point."""
    is_variant = item.name.endswith("-sync")
    return frozenset({"list", "detail"}) if is_variant else item.workloads


def is_possible() -> bool:
    """Return whether there is wrk, and a core for it."""
    return bool(shutil.which("wrk") and shutil.which("taskset")) and (os.cpu_count() or 1) > 1


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def command(implementation: Implementation, port: int, workers: int) -> list[str]:
    """Return the command that serves an implementation."""
    python, module = interpreter(implementation), implementation.module
    if implementation.kind == "wsgi":
        options = ["--bind", f"{HOST}:{port}", "--workers", str(workers), "--log-level", "warning"]
        return [python, "-m", "gunicorn", *options, f"{module}:app"]
    if implementation.kind == "asgi":
        options = ["--host", HOST, "--port", str(port), "--log-level", "warning"]
        return [python, "-m", "uvicorn", "--no-access-log", *options, f"{module}:app"]
    return [python, "-m", "benchmarks.serve", implementation.kind, module, str(port)]


@contextmanager
def served(
    implementation: Implementation, databases: Databases, log: Path, *, workers: int = 1
) -> Iterator[tuple[int, int, str]]:
    """Start a server; yield its process id, its port and the URL of its database; end it.

    Raises:
        TimeoutError: it does not answer in time, or ends.
    """
    port, url = free_port(), databases.copy()
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", "0", *command(implementation, port, workers)],
            env=environment(implementation, url, {"BENCHMARKS_PORT": str(port)}),
            cwd=working_directory(implementation),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, port, implementation.name)
        yield process.pid, port, url
    finally:
        # Its whole session: workers end with it.
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
            if number == signal.SIGTERM:
                time.sleep(0.1)
        databases.discard(url)


def _wait(process: subprocess.Popen[bytes], port: int, name: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            asked(port, WORKLOADS["hello"])
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{name} does not answer over a socket")


def asked(port: int, workload: Workload) -> Answer:
    """Return the answer to one request of a workload."""
    request = workload.request(0)
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.putrequest(request.method, request.target, skip_host=True)
        for name, value in request.headers:
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        return Answer(status=response.status, body=response.read())
    finally:
        connection.close()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all below it, in seconds."""
    total, waiting = 0.0, [pid]
    while waiting:
        found = waiting.pop()
        stat = Path(f"/proc/{found}/stat").read_text(encoding="utf-8")
        values = stat.rpartition(")")[2].split()
        total += (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")
        waiting += children(found)
    return total


def children(pid: int) -> list[int]:
    """Return the process ids below a process, those that its main thread has started."""
    # Threads of a server come and go; none of them starts processes.
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in text.split()]


def resident(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    statm = Path(f"/proc/{pid}/statm").read_text(encoding="utf-8")
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def script(workload: Workload, folder: Path) -> Path | None:
    """Write the Lua script of a workload with a body; None for the others."""
    request = workload.request(0)
    if request.method == "GET":
        return None
    path = folder / f"{workload.name}.lua"
    path.write_text(
        f'wrk.method = "{request.method}"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [==[{request.body.decode()}]==]\n",
        encoding="utf-8",
    )
    return path


def load(pid: int, port: int, workload: Workload, folder: Path, seconds: int) -> Load:
    """Run wrk against a server.

    Raises:
        RuntimeError: answers have the wrong status.
    """
    lua = script(workload, folder)
    with_script = ["-s", str(lua)] if lua else []
    url = f"http://{HOST}:{port}{workload.request(0).target}"
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["taskset", "-c", "1", "wrk", *options, *with_script, url],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 20,
    )
    used = cpu_seconds(pid) - before
    return read(done.stdout, used, are_faults_wanted=workload.name == "invalid")


def read(output: str, used: float, *, are_faults_wanted: bool) -> Load:
    """Return what wrk printed.

    Args:
        output: its text.
        used: seconds of the server's CPU.
        are_faults_wanted: whether answers are to be other than 2xx.

    Raises:
        RuntimeError: answers have the wrong status.
    """
    number = int(found(r"(\d+) requests in", output))
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if bool(wrong) is not are_faults_wanted:
        raise RuntimeError(f"answers have the wrong status: {output}")
    return Load(
        per_second=float(found(r"Requests/sec:\s+([\d.]+)", output)),
        p50=_micros(found(r"50%\s+([\d.]+\w+)", output)),
        p99=_micros(found(r"99%\s+([\d.]+\w+)", output)),
        cpu=used / number * 1e6,
    )


def found(pattern: str, output: str) -> str:
    """Return what a pattern finds."""
    match = re.search(pattern, output)
    if match is None:
        raise RuntimeError(f"wrk printed something else: {output}")
    return match[1]


def _micros(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(value) * UNITS[unit]


def measure(
    chosen: Sequence[Implementation],
    names: Sequence[str],
    databases: Databases,
    folder: Path,
    *,
    rounds: int,
    seconds: int,
) -> dict[str, Any]:
    """Load each workload of each implementation in each round.

    Returns:
        `loads`: implementation -> workload -> a list of figures by name, one for each round;
        `faults`: what was not answered as the floor answers, a line each.
    """
    loads: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    faults: list[str] = []
    log = folder / "servers.log"
    with served(IMPLEMENTATIONS[FLOOR], databases, log) as (_pid, port, _url):
        wanted = {name: WORKLOADS[name].value(asked(port, WORKLOADS[name])) for name in names}
    for turn in range(rounds):
        for item in chosen:
            try:
                with served(item, databases, log) as (pid, port, _url):
                    for name in names:
                        if name not in item.workloads or name not in over_sockets(item):
                            continue
                        workload = WORKLOADS[name]
                        answer = workload.value(asked(port, workload))
                        if not is_same(answer, wanted[name], item):
                            faults.append(f"{item.name}: {name} over a socket is not the floor's")
                        figures = load(pid, port, workload, folder, seconds)
                        found_here = loads.setdefault(item.name, {}).setdefault(name, [])
                        found_here.append(
                            {
                                key: getattr(figures, key)
                                for key in ("per_second", "p50", "p99", "cpu")
                            }
                        )
            except (TimeoutError, RuntimeError) as error:
                faults.append(f"{item.name}: {error}")
                print(f"left out: {item.name}: {error}", flush=True)
        print(f"sockets: round {turn + 1} of {rounds}", flush=True)
    return {"loads": loads, "faults": sorted(set(faults))}


def workers(
    chosen: Sequence[Implementation],
    databases: Databases,
    folder: Path,
    *,
    numbers: Sequence[int],
    seconds: int,
) -> dict[str, Any]:
    """Load hello with several numbers of gunicorn's workers, all of them on one core.

    Returns:
        implementation -> number of workers -> requests for each second, CPU, memory of all.
    """
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for item in chosen:
        for number in numbers:
            with served(item, databases, folder / "servers.log", workers=number) as (pid, port, _):
                figures = load(pid, port, WORKLOADS["hello"], folder, seconds)
                memory = sum(resident(process) for process in _family(pid))
                measured.setdefault(item.name, {})[str(number)] = {
                    "per_second": figures.per_second,
                    "cpu": figures.cpu,
                    "memory": memory,
                }
    return measured


def _family(pid: int) -> list[int]:
    family, waiting = [], [pid]
    while waiting:
        family.append(waiting.pop())
        waiting += children(family[-1])
    return family
