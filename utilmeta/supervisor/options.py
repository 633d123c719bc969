"""What a supervisor is told on its command line."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a supervisor is told.

    Attributes:
        command: the words that start one process; `{fd}` stands for the listening socket.
        bind: `HOST:PORT`, `[ADDRESS]:PORT` or `unix:PATH`; None when the command listens itself.
        workers: processes of the command.
        grace: seconds between the end of readiness and the end of the processes.
        timeout: seconds that processes are given to end.
        boot: seconds that processes are given to become ready.
    """

    command: Sequence[str]
    bind: str | None = None
    workers: int = 1
    grace: float = 5.0
    timeout: float = 30.0
    boot: float = 60.0


def parse(arguments: Sequence[str]) -> Options:
    """Return what the command line says; exits when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m utilmeta.supervisor",
        description="Keeps the serving processes of a service.",
        epilog="After -- comes the command; {fd} in it is the listening socket.",
    )
    seconds = _number(float, 0)
    parser.add_argument("--bind", help="HOST:PORT or unix:PATH to listen on")
    parser.add_argument("--workers", type=_number(int, 1), default=1, help="processes to keep")
    parser.add_argument("--grace", type=seconds, default=5.0, help="seconds of not being ready")
    parser.add_argument("--timeout", type=seconds, default=30.0, help="seconds to end in")
    parser.add_argument("--boot", type=seconds, default=60.0, help="seconds to become ready in")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what serves")
    given = vars(parser.parse_args(list(arguments)))
    words = given.pop("command")
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        parser.error("give the command after --")
    return Options(command=tuple(words), **given)


def _number(kind: type[int] | type[float], least: int) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(least - 1)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a number from {least}, got {text!r}")
        return value

    return number
