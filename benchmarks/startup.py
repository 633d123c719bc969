"""Cold start and memory: what a process takes until it can answer, and holds afterwards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.data import Databases
from benchmarks.processes import Process
from benchmarks.registry import Implementation


def measure(
    chosen: Sequence[Implementation],
    databases: Databases,
    log: Path,
    *,
    rounds: int,
    requests: int,
) -> dict[str, Any]:
    """Start processes in turn; of the last of each, ask for many answers.

    Returns:
        implementation -> one for each round: `seconds` of import and set-up, `first_answer` the
        same with the first answer; and resident memory in bytes: `set_up` after set-up, `first`
        after the first answer, `last` after all.
    """
    found: dict[str, dict[str, Any]] = {
        item.name: {"seconds": [], "first_answer": []} for item in chosen
    }
    for turn in range(rounds):
        for item in chosen:
            process = Process(item, databases, log=log)
            try:
                found[item.name]["seconds"].append(process.started["seconds"])
                first = process.ask("first", workload="hello")["seconds"]
                found[item.name]["first_answer"].append(first)
                if turn == rounds - 1:
                    found[item.name] |= process.ask("many", workload="hello", count=requests)
            finally:
                process.end()
    return found
