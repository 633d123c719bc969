"""The roots of the error tree that have nothing to do with HTTP."""


class UtilMetaError(Exception):
    """Base of every error this package defines."""


class ConfigError(UtilMetaError):
    """A declaration or a setting is wrong; raised when it is made or at set-up."""


class EnvError(ConfigError):
    """Environment variables are missing or invalid; names all of them at once."""


class OrmError(UtilMetaError):
    """A schema or a query is used in a way its declaration does not allow."""


class DependencyNotInstalled(UtilMetaError, ImportError):  # noqa: N818 - public name
    """An optional package is missing; the message holds the line that installs it.

    Args:
        package: the import name that was looked for.
        requirement: what to hand to `pip install`, such as `utilmeta[flask]`.
        purpose: what needs the package, for the first words of the message.
    """

    def __init__(self, package: str, *, requirement: str, purpose: str) -> None:
        self.package = package
        self.requirement = requirement
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed; "
            f"install it with: pip install '{requirement}'"
        )
