"""The words that start a service: the supervisor, and the server below it."""

import math

from utilmeta.deploy.facts import OWN, Facts, Place
from utilmeta.deploy.sizing import Sizing


def command(facts: Facts, sizing: Sizing, place: Place) -> list[str]:
    """Return the words that start a service, in the project's folder.

    Args:
        facts: what is known of it.
        sizing: how many processes and threads serve.
        place: where it lives.
    """
    return [
        str(place.python),
        "-m",
        "utilmeta.supervisor",
        *_listening(facts, sizing),
        "--grace",
        f"{facts.health.grace:g}",
        "--timeout",
        str(facts.deployment.timeout),
        "--",
        *_server(facts, sizing, place),
    ]


def stop_seconds(facts: Facts) -> int:
    """Return how many seconds a service is given to end."""
    return math.ceil(facts.health.grace) + facts.deployment.timeout + 5


def address(facts: Facts) -> str:
    """Return where the service listens, as `HOST:PORT`."""
    host = f"[{facts.host}]" if ":" in facts.host else facts.host
    return f"{host}:{facts.port}"


def has_own_master(facts: Facts) -> bool:
    """Return whether the server keeps its serving processes by itself."""
    return facts.server in {"gunicorn", "uwsgi", "granian"}


def _listening(facts: Facts, sizing: Sizing) -> list[str]:
    workers = 1 if has_own_master(facts) else sizing.workers
    return ["--bind", address(facts), "--workers", str(workers)]


def _server(facts: Facts, sizing: Sizing, place: Place) -> list[str]:
    application = str(facts.application)
    if facts.server in OWN:
        return [str(place.python), "-m", facts.module]
    if facts.server == "gunicorn":
        config = str(place.output / "gunicorn.conf.py")
        # python -m gunicorn would run a file of that name in the project's folder.
        return [str(place.programs / "gunicorn"), "--config", config, application]
    if facts.server == "uwsgi":
        return _uwsgi(place)
    if facts.server == "granian":
        return _granian(facts, sizing, place)
    program = f"utilmeta.deploy.{facts.server}"
    seconds = str(facts.deployment.timeout)
    words = [str(place.python), "-m", program, "--fd", "{fd}", "--timeout", seconds]
    if facts.deployment.max_requests:
        words += ["--max-requests", str(facts.deployment.max_requests)]
    return [*words, application]


def _uwsgi(place: Place) -> list[str]:
    return [str(place.programs / "uwsgi"), "--ini", str(place.output / "uwsgi.ini")]


def _granian(facts: Facts, sizing: Sizing, place: Place) -> list[str]:
    words = [str(place.python), "-m", "utilmeta.deploy.granian"]
    words += ["--interface", "asgi" if facts.asynchronous else "wsgi"]
    words += ["--fd", "{fd}", "--workers", str(sizing.workers)]
    words += ["--timeout", str(facts.deployment.timeout)]
    if not facts.asynchronous:
        words += ["--threads", str(sizing.threads)]
    return [*words, str(facts.application)]
