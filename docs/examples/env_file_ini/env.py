"""Variables from a file beside this one; a real one belongs outside of version control."""

from utilmeta.conf import Env


class ServiceEnvironment(Env):
    DB_USER: str
    DB_PASSWORD: str


env = ServiceEnvironment(file="config.ini")

if __name__ == "__main__":
    print(env)
