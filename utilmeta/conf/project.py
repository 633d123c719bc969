"""Where a project lives."""

import sys
from pathlib import Path


def project_dir(module_name: str) -> Path:
    """Return the project directory: the folder that holds a module's top-level package.

    For `config.env` in `/srv/shop/config/env.py` and for `server` in `/srv/shop/server.py` it is
    `/srv/shop`. The working directory stands in for a module without a file.
    """
    module = sys.modules.get(module_name)
    file = getattr(module, "__file__", None)
    if not file:
        return Path.cwd()
    folder = Path(file).resolve().parent
    spec = getattr(module, "__spec__", None)
    name = spec.name if spec is not None else module_name
    depth = name.count(".") + (1 if Path(file).name == "__init__.py" else 0)
    if name in {"__main__", "__mp_main__"}:
        depth = 0
    return folder.parents[depth - 1] if depth else folder
