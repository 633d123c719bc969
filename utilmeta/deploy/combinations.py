"""Which servers suit which services."""

import re
from importlib.util import find_spec

from utilmeta.deploy.facts import OWN, Facts, loopback
from utilmeta.utils.exceptions import ConfigError

# Servers that answer on an event loop only, and those that cannot.
_ASYNC = frozenset({"uvicorn", "hypercorn", "daphne"})
_SYNC = frozenset({"uwsgi"})
_ASYNC_WORKERS = frozenset({"uvicorn", "asgi"})
_COUNTING = frozenset({"gunicorn", "uwsgi", "uvicorn"})
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PATH = re.compile(r"/[A-Za-z0-9._/@+-]+")
_PACKAGES = {name: name for name in ("gunicorn", "uvicorn", "hypercorn", "granian", "daphne")}
_PACKAGES["uwsgi"] = "pyuwsgi"


def check(facts: Facts) -> None:
    """Refuse what does not go together.

    Raises:
        ConfigError: says what, why, and what to use.
    """
    looks = (_own_servers, _event_loops, _workers, _preload, _recycling, _threads, _domain, _ports)
    for look in (*looks, _spellings):
        problem = look(facts)
        if problem is not None:
            raise ConfigError(problem)


def warnings(facts: Facts) -> list[str]:
    """Return what works, but perhaps not as it is meant to."""
    looks = (_development, _static, _trust, _names, _gevent, _granian, _sqlite, _missing)
    return [text for look in looks for text in look(facts)]


def _shown(facts: Facts) -> str:
    worker = f", worker={facts.worker!r}" if facts.worker else ""
    return f"Deployment(server={facts.server!r}{worker})"


def _own_servers(facts: Facts) -> str | None:
    if facts.backend in OWN and facts.server != facts.backend:
        return (
            f"{_shown(facts)}: {facts.backend} has a server of its own, which reads requests in "
            f"ways that others do not; use server={facts.backend!r}, or leave it out"
        )
    if facts.server in OWN and facts.server != facts.backend:
        return (
            f"{_shown(facts)}: this server runs {facts.server} applications only, and the service "
            f"is on {facts.backend}; leave server out"
        )
    return None


def _event_loops(facts: Facts) -> str | None:
    kind = facts.worker if facts.server == "gunicorn" else facts.server
    wants_async = kind in _ASYNC | _ASYNC_WORKERS
    if facts.asynchronous and (kind in _SYNC or (facts.server == "gunicorn" and not wants_async)):
        return (
            f"{_shown(facts)}: it serves WSGI applications, and the service answers on an event "
            "loop; use server='uvicorn', or gunicorn with worker='uvicorn'"
        )
    # Flask with async endpoints is a WSGI application all the same.
    if wants_async and facts.backend == "flask":
        return (
            f"{_shown(facts)}: it serves ASGI applications, and Flask's are WSGI; use "
            "server='gunicorn' with worker='gthread'"
        )
    if wants_async and not facts.asynchronous:
        return (
            f"{_shown(facts)}: it serves ASGI applications, and the service is sync; use "
            "server='gunicorn' with worker='gthread', or UtilMeta(asynchronous=True)"
        )
    return None


def _workers(facts: Facts) -> str | None:
    if facts.worker == "sync" and (facts.deployment.threads or 1) > 1:
        return (
            f"Deployment(worker='sync', threads={facts.deployment.threads}): such a worker answers "
            "one request at a time; use worker='gthread'"
        )
    return None


def _preload(facts: Facts) -> str | None:
    if not facts.deployment.preload:
        return None
    if facts.server not in {"gunicorn", "uwsgi"}:
        return (
            f"Deployment(server={facts.server!r}, preload=True): its processes load the program "
            "each; leave preload out"
        )
    return None


def _recycling(facts: Facts) -> str | None:
    if facts.deployment.max_requests and facts.server not in _COUNTING:
        return (
            f"Deployment(server={facts.server!r}, max_requests={facts.deployment.max_requests}): "
            "it counts no answers, or loses requests when it has; leave max_requests out, or use "
            f"one of {', '.join(sorted(_COUNTING))}"
        )
    return None


def _threads(facts: Facts) -> str | None:
    if facts.deployment.threads is not None and facts.asynchronous:
        return (
            f"Deployment(threads={facts.deployment.threads}): an async service answers on an event "
            "loop, and its worker threads are Preference(lanes=...); leave threads out"
        )
    return None


def _domain(facts: Facts) -> str | None:
    if facts.is_secure and facts.domain is None:
        return (
            "https needs the host name that clients use: UtilMeta(origin='https://...'), or "
            "Deployment(domain=...)"
        )
    return None


def _ports(facts: Facts) -> str | None:
    if facts.port in facts.listened:
        return (
            f"UtilMeta(port={facts.port}): nginx listens there; choose another one, such as 8000, "
            "or Deployment(listen=...)"
        )
    return None


def _spellings(facts: Facts) -> str | None:
    """Refuse what files could not hold as one word."""
    given = facts.deployment
    words = (
        ("domain", given.domain, _HOST, "a host name such as 'shop.example.com'"),
        ("domain", facts.domain, _HOST, "a host name; that of origin is none that nginx knows"),
        ("user", given.user, _USER, "the name of a system user, such as 'www-data'"),
        ("certificate", given.certificate, _PATH, "an absolute path such as '/etc/tls/shop.pem'"),
        ("certificate_key", given.certificate_key, _PATH, "an absolute path"),
    )
    for name, value, pattern, expected in words:
        if value is not None and not pattern.fullmatch(value):
            return f"Deployment({name}={value!r}): expected {expected}"
    if (given.certificate is None) != (given.certificate_key is None):
        return "Deployment(certificate=..., certificate_key=...): give both, or neither"
    return None


def _development(facts: Facts) -> list[str]:
    if facts.production:
        return []
    return [
        "the service says production=False: debug pages and errors' texts would be shown; set "
        "UtilMeta(production=True), perhaps from an environment variable"
    ]


def _static(facts: Facts) -> list[str]:
    if not facts.uses_static_app or any(not item.is_uploaded for item in facts.files):
        return []
    return [
        "django.contrib.staticfiles is used, and nobody would answer for its files: set "
        "STATIC_ROOT, STATIC_URL, and run manage.py collectstatic"
    ]


def _trust(facts: Facts) -> list[str]:
    if facts.trusts_loopback:
        return []
    return [
        "the proxy is not believed, so that every request seems to come from it: set "
        f"Preference(trusted_proxies=[{loopback(facts.host)!r}])"
    ]


def _names(facts: Facts) -> list[str]:
    if facts.domain is not None:
        return []
    return [
        "no host name is known, so that nginx answers for all: set UtilMeta(origin=...), or "
        "Deployment(domain=...)"
    ]


def _granian(facts: Facts) -> list[str]:
    if facts.server != "granian":
        return []
    return [
        "granian closes connections that it has just accepted when it ends, so that a reload under "
        "load may lose a request; gunicorn and uvicorn lose none"
    ]


def waiting_driver(engine: str) -> str | None:
    """Return the driver of a database when it waits in C, where greenlets cannot take turns.

    Args:
        engine: dotted path of Django's backend.
    """
    kind = engine.rpartition(".")[2]
    if kind == "mysql":
        return "mysqlclient"
    # Django takes psycopg2 only where psycopg is missing, and only psycopg waits by select.
    if kind in {"postgresql", "postgis"} and not find_spec("psycopg"):
        return "psycopg2"
    return None


def _gevent(facts: Facts) -> list[str]:
    if facts.worker != "gevent":
        return []
    drivers = {waiting_driver(str(entry.get("ENGINE", ""))) for entry in facts.databases.values()}
    told = {
        "mysqlclient": "mysqlclient waits in C, so that one query stops all greenlets of a worker",
        "psycopg2": "psycopg2 waits in C, so that one query stops all greenlets of a worker; "
        "install psycopg",
    }
    return [text for driver, text in told.items() if driver in drivers]


def _sqlite(facts: Facts) -> list[str]:
    names = sorted(
        alias
        for alias, entry in facts.databases.items()
        if str(entry.get("ENGINE", "")).endswith(("sqlite3", "spatialite"))
    )
    if not names:
        return []
    return [
        f"SQLite ({', '.join(names)}) is one file on one machine: it serves one host, and a "
        "container needs a volume for it"
    ]


def _missing(facts: Facts) -> list[str]:
    found = []
    name = _PACKAGES.get(facts.server)
    if name is not None and find_spec(name) is None:
        found.append(f"{facts.server} is not installed here: pip install {name}")
    if facts.worker == "gevent" and find_spec("gevent") is None:
        found.append("gevent is not installed here: pip install gevent")
    if facts.worker == "uvicorn" and find_spec("uvicorn_worker") is None:
        found.append("uvicorn-worker is not installed here: pip install uvicorn-worker")
    return found
