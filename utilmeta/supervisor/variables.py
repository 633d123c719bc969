"""The environment variables by which a supervisor and its processes understand each other."""

# A datagram socket where a process says that it is ready: its row's number and its own id.
NOTIFY = "UTILMETA_NOTIFY"
# The number of the row of processes that it belongs to.
ROW = "UTILMETA_ROW"
# The number of the listening socket.
DESCRIPTOR = "UTILMETA_FD"
# A file that is there from the first moment of the end.
DRAINING = "UTILMETA_DRAINING"
# Where the processes of one service count together (prometheus_client).
METRICS = "PROMETHEUS_MULTIPROC_DIR"
# systemd's own, for the supervisor alone.
SYSTEMD = "NOTIFY_SOCKET"
