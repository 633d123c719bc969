"""Which implementations there are, what they are compared with, and what they leave out.

The original UtilMeta is the release on PyPI. It is a package of the same name as this one, so it
is measured in an environment of its own, `.venv-original`, and left out where there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.workloads import BY_CPU

HERE = "benchmarks.implementations"
BENCH, ORIGINAL = "bench", "original"
EVERYTHING = frozenset({*BY_CPU, "slow"})
WITHOUT_SLOW = EVERYTHING - {"slow"}
READ = frozenset({"hello", "params", "body", "invalid", "list", "detail"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """One way to serve the workloads.

    Attributes:
        name: what it is called on the command line and in tables.
        label: what it is.
        module: dotted path of the module whose `app` is served.
        kind: wsgi, asgi, sanic, tornado, or bolt, which has no application to call in process.
        environment: variables of its process.
        workloads: what it serves.
        bare: name of the hand-written counterpart; None for what has none.
        has_routes: whether it serves many routes when it is told to.
        has_middleware: whether it can have a middleware of the framework.
        python: which environment it runs in.
        orders_tags: whether it has the names of tags in the order of the model.
    """

    name: str
    label: str
    module: str
    kind: str
    environment: Mapping[str, str] = field(default_factory=dict)
    workloads: frozenset[str] = EVERYTHING
    bare: str | None = None
    has_routes: bool = False
    has_middleware: bool = False
    python: str = BENCH
    orders_tags: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether it is this project."""
        return self.module == f"{HERE}.ours"


def _views(name: str) -> dict[str, str]:
    return {"BENCHMARKS_URLCONF": f"{HERE}.{name}"}


def _bare(name: str, label: str, module: str, kind: str, **options: object) -> Implementation:
    return Implementation(
        name=name,
        label=label,
        module=f"{HERE}.{module}",
        kind=kind,
        has_routes=True,
        **{"has_middleware": True, **options},  # type: ignore[arg-type]
    )


def _ours(
    name: str, label: str, backend: str, kind: str, bare: str, *, api: str = "ours_async_api"
) -> Implementation:
    environment = {"BENCHMARKS_BACKEND": backend, "BENCHMARKS_API": api}
    if backend == "django" and kind == "asgi":
        environment["BENCHMARKS_ASYNCHRONOUS"] = "1"
    return Implementation(
        name=name,
        label=label,
        module=f"{HERE}.ours",
        kind=kind,
        environment=environment,
        bare=bare,
        has_routes=not name.endswith("-sync"),
        has_middleware=not name.endswith("-sync") and backend != "tornado",
    )


_ALL = (
    Implementation(
        name="raw-wsgi", label="a WSGI function, raw SQL", module=f"{HERE}.raw_wsgi", kind="wsgi"
    ),
    Implementation(
        name="raw-asgi", label="an ASGI function, raw SQL", module=f"{HERE}.raw_asgi", kind="asgi"
    ),
    _bare(
        "django",
        "Django WSGI, bare view",
        "django_wsgi",
        "wsgi",
        environment=_views("django_views"),
    ),
    Implementation(
        name="django-prebuilt",
        label="Django WSGI, bare view, querysets made once",
        module=f"{HERE}.django_wsgi",
        kind="wsgi",
        environment={**_views("django_views"), "BENCHMARKS_PREBUILT": "1"},
        workloads=frozenset({"list", "detail"}),
    ),
    _bare(
        "django-async",
        "Django ASGI, bare async view",
        "django_asgi",
        "asgi",
        environment=_views("django_async_views"),
    ),
    _bare("flask", "Flask, bare view", "flask_bare", "wsgi"),
    _bare("starlette", "Starlette, bare handler", "starlette_bare", "asgi"),
    _bare("sanic", "Sanic, bare handler", "sanic_bare", "sanic"),
    _bare("tornado", "Tornado, bare handler", "tornado_bare", "tornado", has_middleware=False),
    _bare("fastapi", "FastAPI, with SQLAlchemy", "fastapi_bare", "asgi"),
    Implementation(
        name="drf",
        label="Django WSGI, Django REST framework",
        module=f"{HERE}.django_wsgi",
        kind="wsgi",
        environment={**_views("drf"), "BENCHMARKS_APP": "rest_framework"},
        workloads=WITHOUT_SLOW,
    ),
    Implementation(
        name="ninja",
        label="Django WSGI, django-ninja",
        module=f"{HERE}.django_wsgi",
        kind="wsgi",
        environment=_views("ninja_views"),
        workloads=WITHOUT_SLOW - {"stream"},
    ),
    Implementation(
        name="modern-rest",
        label="Django WSGI, django-modern-rest",
        module=f"{HERE}.django_wsgi",
        kind="wsgi",
        environment=_views("modern_rest"),
        workloads=READ,
    ),
    Implementation(
        name="litestar",
        label="Litestar, with SQLAlchemy",
        module=f"{HERE}.litestar_bare",
        kind="asgi",
        workloads=READ,
    ),
    Implementation(
        name="bolt",
        label="django-bolt, its own server",
        module=f"{HERE}.bolt",
        kind="bolt",
        environment={"BENCHMARKS_APP": "django_bolt"},
        workloads=READ,
    ),
    Implementation(
        name="original",
        label="Django WSGI, UtilMeta from PyPI",
        module=f"{HERE}.original",
        kind="wsgi",
        environment={**_views("no_urls"), "DJANGO_SETTINGS_MODULE": "benchmarks.settings"},
        workloads=READ,
        python=ORIGINAL,
        orders_tags=False,
    ),
    _ours("ours-django", "UtilMeta on Django WSGI", "django", "wsgi", "django", api="ours_api"),
    _ours("ours-flask", "UtilMeta on Flask", "flask", "wsgi", "flask", api="ours_api"),
    _ours("ours-django-async", "UtilMeta on Django ASGI", "django", "asgi", "django-async"),
    _ours("ours-starlette", "UtilMeta on Starlette", "starlette", "asgi", "starlette"),
    _ours("ours-fastapi", "UtilMeta on FastAPI", "fastapi", "asgi", "fastapi"),
    _ours("ours-sanic", "UtilMeta on Sanic", "sanic", "sanic", "sanic"),
    _ours("ours-tornado", "UtilMeta on Tornado", "tornado", "tornado", "tornado"),
    *(
        _ours(
            f"ours-{bare}-sync",
            f"UtilMeta on {label}, sync endpoints",
            backend,
            kind,
            bare,
            api="ours_api",
        )
        for bare, label, backend, kind in (
            ("django-async", "Django ASGI", "django", "asgi"),
            ("starlette", "Starlette", "starlette", "asgi"),
            ("fastapi", "FastAPI", "fastapi", "asgi"),
            ("sanic", "Sanic", "sanic", "sanic"),
            ("tornado", "Tornado", "tornado", "tornado"),
        )
    ),
)
IMPLEMENTATIONS: dict[str, Implementation] = {item.name: item for item in _ALL}
FLOOR = "raw-wsgi"
