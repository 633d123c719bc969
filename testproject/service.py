"""The service of the test project: one API on whichever backend is named."""

from testproject.env import env
from utilmeta import UtilMeta
from utilmeta.conf import Logging
from utilmeta.core.server.backends.django import DjangoSettings

service = UtilMeta(
    __name__,
    name="conduit",
    title="Conduit",
    description="The RealWorld API, served by any of the six frameworks.",
    backend=env.BACKEND,
    asynchronous=env.ASYNCHRONOUS,
    production=env.PRODUCTION,
    host=env.HOST,
    port=env.PORT,
    version=(0, 1, 0),
    api="testproject.conduit.api.RootAPI",
    route="/api",
)
service.use(DjangoSettings(module_name="testproject.settings"))
service.use(Logging())
service.setup()

# Models may be imported from here on.
from testproject.conduit.drf import router

service.mount(router, route="/drf")
