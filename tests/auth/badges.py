"""Ways of a project's own to prove who one is."""

from tests.auth.project.models import Account
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request


class Badge(BaseAuthentication):
    """The name of the user in a header, with a word that only friends know."""

    header = "X-Badge"
    challenge = "Badge"

    def sees(self, request: Request) -> bool:
        """Return whether there is a badge."""
        return request.raw.header("x-badge") is not None

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return whose badge it is."""
        word, _, name = (request.raw.header("x-badge") or "").partition(" ")
        if word != "friend":
            raise InvalidCredentials("no friend")
        user = Account.objects.filter(username=name).first()
        return Identity(user=user, user_id=None)


class AsyncBadge(Badge):
    """The same, async."""

    async def authenticate(  # type: ignore[override]
        self, request: Request, users: UserConfig
    ) -> Identity | None:
        """Return whose badge it is."""
        word, _, name = (request.raw.header("x-badge") or "").partition(" ")
        if word != "friend":
            raise InvalidCredentials("no friend")
        return Identity(user=await Account.objects.filter(username=name).afirst())
