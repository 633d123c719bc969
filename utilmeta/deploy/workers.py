"""gunicorn's uvicorn worker: `--worker-class utilmeta.deploy.workers.UvicornWorker`."""

import sys
from typing import Any, ClassVar

try:
    import uvicorn_worker
    from gunicorn.arbiter import Arbiter
except ModuleNotFoundError as exc:
    from utilmeta.utils.exceptions import DependencyNotInstalled

    raise DependencyNotInstalled(
        "uvicorn-worker",
        requirement="gunicorn uvicorn-worker",
        purpose="utilmeta.deploy.workers.UvicornWorker",
    ) from exc

from utilmeta.core.server.gateways.uvicorn_server import OPTIONS, DrainingServer


class UvicornWorker(uvicorn_worker.UvicornWorker):  # type: ignore[misc]
    """uvicorn's worker, which loses no request when it ends and trusts no header."""

    CONFIG_KWARGS: ClassVar[dict[str, Any]] = {
        **uvicorn_worker.UvicornWorker.CONFIG_KWARGS,
        **OPTIONS,
        "access_log": False,
    }

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout
        server = DrainingServer(self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
