"""Opens the session of a request, and saves what the endpoint has done to it."""

from typing import TYPE_CHECKING, Any

from utilmeta.core.api.calling import Call, Steps
from utilmeta.core.api.plugins.base import Plugin
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.cookies import vary
from utilmeta.core.request import Request, RequestContextVar
from utilmeta.core.response import RawResponse, Response

if TYPE_CHECKING:
    from utilmeta.core.auth.session.base import BaseSession


class SessionVariable(RequestContextVar[Any]):
    """The session of a request, as endpoints ask for it.

    Args:
        plugin: opens and saves it.
        kind: the type that endpoints see; None for a plain `Session`.
    """

    def __init__(self, plugin: "SessionPlugin", kind: Any = None) -> None:
        super().__init__("session", is_quick=True)
        self._plugin = plugin
        self._kind = kind

    def get(self, request: Request) -> Any:
        """Return a request's session."""
        session = self._plugin.config.session_of(request)
        return session if self._kind is None else session.viewed_as(self._kind)

    def guards(self, *, required: bool) -> tuple[Any, ...]:
        """Return the plugin that opens and saves it."""
        return (self._plugin,)


class SessionPlugin(Plugin):
    """Opens the session of a request, and saves what the endpoint has done to it.

    Args:
        config: the kind of session.
    """

    def __init__(self, config: "BaseSession") -> None:
        self.config = config
        self.variable = SessionVariable(self)

    def variable_of(self, kind: Any) -> SessionVariable:
        """Return the variable whose value is the session with the members of a type."""
        return SessionVariable(self, kind)

    def prepare(self, rules: CompileRules) -> None:
        """Check the place where sessions are kept."""
        self.config.check(rules)

    def on_request(self, request: Request, _api: Any) -> Steps:
        """Load the session that the cookie names, on the request's worker thread."""
        if self.config.sees(request):
            yield Call(self._load, (request,))

    def _load(self, request: Request) -> None:
        self.config.session_of(request).load()

    def on_response(self, response: Response[Any], api: Any) -> Steps:
        """Save the session unless the server failed."""
        request: Request = api.request
        is_opened = self.config.opened(request) is not None
        if is_opened and (response.status is None or response.status < 500):
            if self.config.has_to_save(request):
                yield Call(self.config.save, (request,))
            else:
                self.config.tidy(request)

    def finish(self, response: RawResponse, request: Request) -> None:
        """Keep caches from giving one's answer to another."""
        if request.method != "OPTIONS":
            vary(response, "Cookie")
