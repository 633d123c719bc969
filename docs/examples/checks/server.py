"""A service that `utilmeta check --deploy` finds nothing wrong with."""

import os

from utilmeta import UtilMeta
from utilmeta.conf import Deployment, Env, Preference, Time
from utilmeta.core import api
from utilmeta.core.cache import CacheConnections
from utilmeta.core.cache.backends.redis import RedisCache
from utilmeta.core.orm import Database, DatabaseConnections
from utilmeta.core.server.backends.django import DjangoSettings


class ProjectEnv(Env):
    SECRET_KEY: str
    DATABASE_URL: str
    REDIS_URL: str
    PRODUCTION: bool = True


env = ProjectEnv(sys_env=True)
backend = os.environ.get("BACKEND", "fastapi")


class RootAPI(api.API):
    @api.get
    def hello(self):
        return "world"


service = UtilMeta(
    __name__,
    name="demo",
    backend=backend,
    api=RootAPI,
    route="/api",
    version="1.0.0",
    production=env.PRODUCTION,
    origin="https://api.example.com",
)
# Django runs middleware; the other frameworks leave these headers to the proxy.
middleware = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
service.use(
    DjangoSettings(
        secret_key=env.SECRET_KEY,
        middleware=middleware if backend == "django" else [],
        extra={
            "SECURE_HSTS_SECONDS": 31536000,
            "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
            "SECURE_HSTS_PRELOAD": True,
            "SECURE_SSL_REDIRECT": True,
            "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
            "CSRF_COOKIE_SECURE": True,
        },
    )
)
service.use(Preference(trusted_proxies=["127.0.0.1"]))
service.use(Deployment(workers=2))
service.use(Time(time_zone="UTC"))
service.use(DatabaseConnections({"default": Database.from_url(env.DATABASE_URL)}))
service.use(CacheConnections({"default": RedisCache(location=env.REDIS_URL)}))

app = service.application()

if __name__ == "__main__":
    service.run()
