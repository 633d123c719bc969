"""The service that the configuration beside this file puts into production."""

import django

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=django,
    api=RootAPI,
    route="/api",
)

app = service.application()

if __name__ == "__main__":
    service.run()
