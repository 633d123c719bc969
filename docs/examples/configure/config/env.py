"""The variables of the service: `DEMO_DJANGO_SECRET_KEY` sets the secret key."""

from utilmeta.conf import Env


class ServiceEnvironment(Env):
    DJANGO_SECRET_KEY: str = "only-an-example"


env = ServiceEnvironment(sys_env="DEMO_")
