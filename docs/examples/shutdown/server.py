"""A function that cleans up when the process is told to end."""

import os

import starlette

from utilmeta import UtilMeta
from utilmeta.core import api


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=starlette,
    api=RootAPI,
    port=int(os.environ.get("PORT", "8000")),
)


@service.on_shutdown
def clean_up():
    # Close here what the process holds: connections, files, threads.
    print("done!")


app = service.application()

if __name__ == "__main__":
    service.run()
