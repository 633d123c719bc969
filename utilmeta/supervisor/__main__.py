"""`python -m utilmeta.supervisor [options] -- command`."""

import logging
import sys

from utilmeta.supervisor.options import parse
from utilmeta.supervisor.supervisor import Supervisor

logger = logging.getLogger("utilmeta.supervisor")


def main() -> int:
    """Run a supervisor; returns the status to exit with."""
    options = parse(sys.argv[1:])
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s supervisor[%(process)d] %(levelname)s %(message)s"
    )
    try:
        return Supervisor(options).run()
    except (OSError, ValueError) as exc:
        logger.error("%s", exc)  # noqa: TRY400 - what is wrong is outside of this program
        return 1


if __name__ == "__main__":
    sys.exit(main())
