"""The environment variables of the test project, each with `TESTPROJECT_` before its name."""

from utilmeta.conf import Env


class ProjectEnv(Env):
    """What may be changed from outside.

    `BACKEND` is one of the six frameworks; `ASYNCHRONOUS` makes Django answer over ASGI;
    `DATABASE_URL` and `REDIS_URL` say where data and cache live.
    """

    BACKEND: str = "django"
    ASYNCHRONOUS: bool | None = None
    PRODUCTION: bool = False
    HOST: str = "127.0.0.1"
    PORT: int | None = None
    DATABASE_URL: str = "sqlite:///testproject.sqlite3"
    REDIS_URL: str | None = None
    # Signs nothing worth protecting: the test project is never deployed.
    SECRET_KEY: str = "only-for-the-test-project-which-is-never-deployed"  # noqa: S105


env = ProjectEnv(sys_env="TESTPROJECT_")
