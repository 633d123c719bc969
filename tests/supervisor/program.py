"""Answers each connection with its process id and release, until SIGTERM; what a supervisor keeps.

How it is to behave stands in the file that is its first argument: `ready`, `broken`, `mute` (never
ready) or `deaf` (hears no SIGTERM).
"""

import os
import signal
import socket
import sys
from pathlib import Path

mode = Path(sys.argv[1]).read_text(encoding="utf-8").strip()
if mode == "broken":
    sys.exit(7)
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.socket(fileno=int(sys.argv[2])) as listening:
    if mode != "mute":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            text = f"{os.environ['UTILMETA_ROW']} {os.getpid()}"
            teller.sendto(text.encode(), os.environ["UTILMETA_NOTIFY"])
    while True:
        connection, _ = listening.accept()
        with connection:
            draining = Path(os.environ["UTILMETA_DRAINING"]).exists()
            connection.sendall(f"{os.getpid()} {os.environ['UTILMETA_ROW']} {draining}".encode())
