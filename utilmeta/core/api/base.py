"""The base of every API class."""

from importlib import import_module
from typing import Any, ClassVar

from utilmeta.core.request import Request


class API:
    """A group of endpoints below one path; one instance is made for each request.

    Methods decorated with `@api.get` and the like are endpoints below the class's path; methods
    named `get post put patch delete` answer at the path itself. An attribute annotated with another
    API class nests it; an attribute with a request parameter as its value is a parameter of every
    endpoint below.

    Args:
        request: the request to answer.

    Attributes:
        request: the request being answered.
        parent: the instance of the API this one is nested in, when that has parameters.
    """

    __utilmeta_route__: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, request: Request) -> None:
        self.request = request
        self.parent: API | None = None

    @classmethod
    def __as__(
        cls,
        backend: Any,
        route: str,
        asynchronous: bool | None = None,
    ) -> Any:
        """Put this API into an existing project.

        Args:
            backend: module, name or application object of the framework.
            route: path below which the API answers, such as `/v1`.
            asynchronous: as in `UtilMeta(asynchronous=...)`.

        Returns:
            For Django a URL pattern, for Tornado without an application a routing rule, otherwise
            the application, in which the API is now registered.

        Raises:
            ConfigError: the backend is unknown, or the API is declared wrongly.
            DependencyNotInstalled: the framework is missing.
        """
        # The service lives above this room, so it is fetched through the package's public door.
        service_class: Any = import_module("utilmeta").UtilMeta
        return service_class.adapt_api(cls, backend=backend, route=route, asynchronous=asynchronous)
