"""What stands before endpoints that want to know who asks."""

from typing import TYPE_CHECKING, Any

from utilmeta.core.api.calling import Steps
from utilmeta.core.api.plugins.base import Plugin, Security
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.cookies import vary
from utilmeta.core.request import Request
from utilmeta.core.response import RawResponse

if TYPE_CHECKING:
    from utilmeta.core.auth.user import UserConfig


class Authenticate(Plugin):
    """Finds out who sent a request before its body is read.

    Args:
        users: whose users are meant.
        required: whether requests of nobody are refused.
    """

    authenticates = True

    def __init__(self, users: "UserConfig", *, required: bool) -> None:
        self.users = users
        self.required = required

    def prepare(self, rules: CompileRules) -> None:
        """Check the users against the service."""
        self.users.prepare(rules)

    def security(self) -> Security:
        """Return what proves who one is."""
        return Security(schemes=self.users.schemes(), optional=not self.required)

    def on_request(self, request: Request, _api: Any) -> Steps:
        """Find out who it is.

        Raises:
            Unauthorized: nobody, where somebody is needed.
        """
        yield from self.users.steps(request)
        if self.required and request.context[self.users.name] is None:
            raise self.users.refusal(request)

    def finish(self, response: RawResponse, request: Request) -> None:
        """Keep caches from giving one's answer to another."""
        if request.method != "OPTIONS":
            for name in self.users.varies:
                vary(response, name)
