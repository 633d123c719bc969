"""A PostgreSQL cluster of the tests' own, which they may stop and start."""

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.servers import free_port
from tests.services import HOST


@dataclass
class Cluster:
    """A cluster in a folder, on a port."""

    programs: Path
    folder: Path
    port: int

    def stop(self) -> None:
        """Stop it; connections are ended."""
        self._control("stop", "--mode=fast")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -h {HOST} -k {self.folder} -c fsync=off"
        self._control("start", f"--log={self.folder / 'log'}", f"--options={options}")

    def end_connections(self) -> None:
        """End every connection of its clients."""
        text = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(
            host=HOST, port=self.port, user="postgres", dbname="postgres"
        ) as connection:
            connection.execute(text)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, which refuse to work for root."""
        user = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
        with (self.folder / "control.log").open("ab") as log:
            # The server inherits its output, so that it cannot be a pipe that is read to its end.
            subprocess.run(
                [*user, str(self.programs / program), *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=60,
                check=True,
            )

    def _control(self, action: str, *arguments: str) -> None:
        self.run("pg_ctl", action, f"--pgdata={self.folder / 'data'}", "--wait", *arguments)


@contextmanager
def started(programs: Path) -> Iterator[Cluster]:
    """Give a cluster that runs, and take it away."""
    folder = Path(mkdtemp(prefix="utilmeta-cluster-"))
    cluster = Cluster(programs, folder, free_port())
    try:
        if getpass.getuser() == "root":
            shutil.chown(folder, "postgres")
        data = str(folder / "data")
        cluster.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(folder)
