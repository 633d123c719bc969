"""What a supervisor does when processes die, reload, and end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deploy.stage import end_at_once, is_alive, wait_until
from tests.servers import ROOT, free_port

PROGRAM = Path(__file__).parent / "program.py"
SUPERVISOR = (sys.executable, "-m", "utilmeta.supervisor")
RUN = (sys.executable, str(PROGRAM))


class Kept:
    """A supervisor, and what it keeps.

    Args:
        folder: where its files are.
        options: its own, beside the address.
        mode: how its program behaves.
        environ: added to its environment.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        mode: str = "ready",
        environ: dict[str, str] | None = None,
    ) -> None:
        self.mode = folder / "mode"
        self.mode.write_text(mode, encoding="utf-8")
        self.port = free_port()
        self.log = folder / "log"
        words = ["--bind", f"127.0.0.1:{self.port}", *options, "--", sys.executable, str(PROGRAM)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "utilmeta.supervisor", *words, str(self.mode), "{fd}"],
                cwd=ROOT,
                env={**os.environ, **(environ or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self) -> tuple[int, int, bool] | None:
        """Return process, row and whether the end has begun; None when nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                pid, row, draining = connection.recv(100).decode().split()
        except (OSError, ValueError):
            return None
        return int(pid), int(row), draining == "True"

    def pids(self, row: int) -> set[int]:
        """Return the processes of a row that answer."""
        found = [self.ask() for _ in range(8)]
        return {item[0] for item in found if item is not None and item[1] == row}

    def says(self, text: str) -> bool:
        """Return whether the supervisor has said something."""
        return text in self.log.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until the supervisor says something."""
        wait_until(lambda: self.says(text), 15, what=text)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


Keep = Callable[..., Kept]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    kept: list[Kept] = []

    def make(*options: str, mode: str = "ready", environ: dict[str, str] | None = None) -> Kept:
        kept.append(Kept(tmp_path, *options, mode=mode, environ=environ))
        return kept[-1]

    yield make
    for item in kept:
        end_at_once(item.process)


def test_keeps_so_many_processes_on_one_socket(keep: Keep) -> None:
    kept = keep("--workers", "2")
    kept.wait_for("ready")
    wait_until(lambda: len(kept.pids(0)) == 2, 10, what="two processes answer")


def test_replaces_a_process_that_dies(keep: Keep) -> None:
    kept = keep()
    kept.wait_for("ready")
    first = kept.ask()
    assert first is not None
    os.kill(first[0], signal.SIGKILL)
    # Meanwhile clients wait in the socket's queue.
    second = wait_until(kept.ask, 10, what="another one answers")
    assert second[0] != first[0]
    assert kept.says("ended with -9")


def test_reloads_by_a_new_row_beside_the_old(keep: Keep) -> None:
    kept = keep("--workers", "2")
    kept.wait_for("ready")
    kept.tell(signal.SIGHUP)
    kept.wait_for("the new processes are ready")
    wait_until(lambda: len(kept.pids(1)) == 2 and not kept.pids(0), 10, what="only the new answer")


@pytest.mark.parametrize("mode", ["broken", "mute"])
def test_stays_with_the_old_row_when_the_new_one_fails(keep: Keep, mode: str) -> None:
    kept = keep("--boot", "1")
    kept.wait_for("ready")
    before = kept.ask()
    kept.mode.write_text(mode, encoding="utf-8")
    kept.tell(signal.SIGHUP)
    kept.wait_for("the new processes failed; the old ones stay")
    assert kept.ask() == before
    kept.mode.write_text("ready", encoding="utf-8")
    kept.tell(signal.SIGHUP)
    kept.wait_for("the new processes are ready")


def test_tries_again_when_a_replacement_fails(keep: Keep) -> None:
    kept = keep()
    kept.wait_for("ready")
    kept.mode.write_text("broken", encoding="utf-8")
    first = kept.ask()
    assert first is not None
    os.kill(first[0], signal.SIGKILL)
    kept.wait_for("ended with 7")
    kept.mode.write_text("ready", encoding="utf-8")
    wait_until(kept.ask, 15, what="it answers again")


@pytest.mark.parametrize(("mode", "status"), [("broken", 7), ("mute", 1)])
def test_ends_when_the_first_row_fails(keep: Keep, mode: str, status: int) -> None:
    kept = keep("--boot", "1", mode=mode)
    assert kept.process.wait(15) == status
    assert kept.says("before it was ready")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_turns_readiness_false_first(keep: Keep, number: int) -> None:
    kept = keep("--grace", "1")
    kept.wait_for("ready")
    found = kept.ask()
    assert found is not None
    assert found[2] is False
    begun = time.monotonic()
    kept.tell(number)
    kept.wait_for("not ready any more")
    found = kept.ask()
    assert found is not None
    assert found[2] is True
    assert kept.process.wait(15) == 0
    assert time.monotonic() - begun >= 1
    assert not is_alive(found[0])
    assert kept.ask() is None


def test_kills_what_does_not_end_in_time(keep: Keep) -> None:
    kept = keep("--grace", "0", "--timeout", "1", mode="deaf")
    kept.wait_for("ready")
    found = kept.ask()
    assert found is not None
    kept.tell(signal.SIGTERM)
    assert kept.process.wait(15) == 0
    assert kept.says("is killed")
    assert not is_alive(found[0])


def test_second_signal_ends_everything_at_once(keep: Keep) -> None:
    kept = keep("--grace", "60", mode="deaf")
    kept.wait_for("ready")
    found = kept.ask()
    assert found is not None
    kept.tell(signal.SIGTERM)
    kept.wait_for("not ready any more")
    kept.tell(signal.SIGTERM)
    assert kept.process.wait(5) == 128 + signal.SIGTERM
    assert not is_alive(found[0])


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells of a parent's end")
def test_leaves_nothing_when_it_is_killed(keep: Keep) -> None:
    kept = keep("--workers", "2")
    kept.wait_for("ready")
    pids = wait_until(lambda: len(kept.pids(0)) == 2 and kept.pids(0), 10, what="two processes")
    kept.process.kill()
    wait_until(lambda: not any(map(is_alive, pids)), 10, what="all have ended")


def test_listens_on_a_path_and_takes_over_one_that_was_left(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    mode = tmp_path / "mode"
    mode.write_text("ready", encoding="utf-8")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "utilmeta.supervisor",
            "--bind",
            f"unix:{path}",
            "--grace",
            "0",
            "--",
            sys.executable,
            str(PROGRAM),
            str(mode),
            "{fd}",
        ],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:

        def answers() -> bool:
            with socket.socket(socket.AF_UNIX) as client:
                return client.connect_ex(str(path)) == 0 and bool(client.recv(100))

        wait_until(answers, 10, what="it answers on the path")
        assert path.stat().st_mode & 0o777 == 0o660
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_leaves_alone_what_is_no_socket(tmp_path: Path) -> None:
    path = tmp_path / "precious.txt"
    path.write_text("precious", encoding="utf-8")
    ended = subprocess.run(
        [*SUPERVISOR, f"--bind=unix:{path}", "--", "true"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert "it is left alone" in ended.stderr
    assert path.read_text(encoding="utf-8") == "precious"


def test_tells_systemd(keep: Keep, tmp_path: Path) -> None:
    address = str(tmp_path / "systemd")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(15)
        kept = keep("--grace", "0", environ={"NOTIFY_SOCKET": address})
        assert systemd.recv(100) == b"READY=1"
        kept.tell(signal.SIGHUP)
        assert systemd.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert systemd.recv(100) == b"READY=1"
        kept.tell(signal.SIGTERM)
        assert systemd.recv(100) == b"STOPPING=1"
        assert kept.process.wait(15) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give the command after --"),
        (["--workers", "0", "--", "true"], "expected a number from 1, got '0'"),
        (["--grace", "soon", "--", "true"], "expected a number from 0, got 'soon'"),
        (["--timeout", "nan", "--", "true"], "expected a number from 0, got 'nan'"),
        (["--grace", "inf", "--", "true"], "expected a number from 0, got 'inf'"),
        (["--bind", "nowhere", "--", "true"], "expected HOST:PORT or unix:PATH"),
        (["--bind", "127.0.0.1:99999", "--", "true"], "expected HOST:PORT or unix:PATH"),
        (["--bind", "192.0.2.1:8000", "--", "true"], "Cannot assign requested address"),
        (["--", "/no/such/program"], "No such file or directory"),
    ],
)
def test_says_what_is_wrong_with_its_command_line(arguments: list[str], told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "utilmeta.supervisor", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode in {1, 2}
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_refuses_an_address_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = subprocess.run(
            [
                sys.executable,
                "-m",
                "utilmeta.supervisor",
                "--bind",
                f"127.0.0.1:{taken.getsockname()[1]}",
                "--",
                "true",
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 1
    assert "Address already in use" in ended.stderr
