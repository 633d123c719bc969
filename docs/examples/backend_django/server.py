"""A service whose backend is the imported package `django`."""

import os

import django

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "hello from django"


service = UtilMeta(
    __name__,
    name="demo",
    backend=django,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)

app = service.application()

if __name__ == "__main__":
    service.run()
