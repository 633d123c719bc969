"""Routes that are there beside the others, to see what finding one among many costs."""

import os


def extra_routes() -> list[tuple[str, bool]]:
    """Return as many names of routes as the environment asks for, half with a path parameter.

    Beside the route of hello, `BENCHMARKS_ROUTES` minus one of them are served, before it.
    """
    number = int(os.environ.get("BENCHMARKS_ROUTES", "1")) - 1
    return [(f"things{index}", index % 2 == 1) for index in range(number)]
