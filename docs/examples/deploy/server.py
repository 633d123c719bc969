"""`utilmeta deploy` in this folder writes `deploy/`, what puts the service into production."""

import django

from utilmeta import UtilMeta
from utilmeta.conf import Deployment, Env, Health, Preference
from utilmeta.core import api
from utilmeta.core.server.backends.django import DjangoSettings


class ServiceEnv(Env):
    SECRET_KEY: str
    PORT: int = 8000


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


env = ServiceEnv(sys_env=True)
service = UtilMeta(
    __name__,
    name="shop",
    backend=django,
    api=RootAPI,
    route="/api",
    port=env.PORT,
    production=True,
    origin="https://shop.example.com",
)
service.use(DjangoSettings(secret_key=env.SECRET_KEY))
# nginx on the same machine tells who asked.
service.use(Preference(trusted_proxies=["127.0.0.1"]))
service.use(Health(grace=5))
service.use(Deployment(workers=2))

app = service.application()

if __name__ == "__main__":
    service.run()
