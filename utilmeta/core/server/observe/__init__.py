"""What is seen of requests: log lines, metrics and traces; nothing of it unless configured."""

from utilmeta.core.server.observe.observer import GONE, Observer, Seen, Watcher, current_seen

__all__ = ["GONE", "Observer", "Seen", "Watcher", "current_seen"]
