"""Typed variables from the system: `DEMO_DB_PASSWORD` becomes `env.DB_PASSWORD`.

DEMO_DB_USER=ann DEMO_DB_PASSWORD=only-an-example DEMO_REDIS_PASSWORD=only-an-example python env.py
"""

from utilmeta.conf import Env


class ServiceEnvironment(Env):
    PRODUCTION: bool = False
    DJANGO_SECRET_KEY: str = ""
    COOKIE_AGE: int = 7 * 24 * 3600

    # cache
    REDIS_DB: int = 0
    REDIS_PORT: int = 6379
    REDIS_PASSWORD: str

    # databases
    DB_HOST: str = ""
    DB_USER: str
    DB_PASSWORD: str
    DB_PORT: int = 5432


env = ServiceEnvironment(sys_env="DEMO_")

if __name__ == "__main__":
    print(env)
