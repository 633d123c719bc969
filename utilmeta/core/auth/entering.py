"""Users coming and going: logging in, logging out."""

import logging
from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import sync_to_async
from django.http import HttpRequest

from utilmeta.core.auth.passwords import verify
from utilmeta.core.request import Request, RequestContextVar
from utilmeta.core.response import RawResponse
from utilmeta.utils.exceptions import ConfigError

if TYPE_CHECKING:
    from utilmeta.core.auth.base import BaseAuthentication
    from utilmeta.core.auth.models import UserModel
    from utilmeta.core.auth.throttle import Throttle
    from utilmeta.core.auth.user import UserConfig

logger = logging.getLogger("utilmeta.auth")


class Entering(RequestContextVar[Any]):
    """What `auth.User(...)` does when somebody logs in or out."""

    fields: "UserModel"
    methods: "tuple[BaseAuthentication, ...]"
    throttle: "Throttle | None"

    if TYPE_CHECKING:

        def set_user(self, request: Request, user: Any) -> None:
            """Say who sent a request."""

    def authenticate(
        self, request: Request, ident: object, password: object, *, in_bulk: bool = False
    ) -> Any:
        """Return the user with a name and a password, None when either is wrong.

        An unknown name takes as long as a wrong password. Nobody is logged in by it.

        Args:
            request: whose address is counted with what fails.
            ident: what one of `login_fields` holds.
            password: the password as it was typed.
            in_bulk: whether a program sends them with each request, many at once.

        Raises:
            TooManyRequests: there were too many attempts that failed.
        """
        name = ident if isinstance(ident, str) else ""
        if self.throttle is not None:
            self.throttle.enter(request, name, counts=not in_bulk)
        found = None
        for candidate in self.fields.candidates(name) or (None,):
            if verify(candidate, password, self.fields.password) and found is None:
                found = candidate
        if found is None or not self.fields.is_active(found):
            logger.info("a login from %s failed", request.ip_address)
            if self.throttle is not None and in_bulk:
                self.throttle.fail(request, name)
            self._tell_failure(request, name)
            return None
        if self.throttle is not None and not in_bulk:
            self.throttle.forgive(request, name)
        return found

    def _tell_failure(self, request: Request, name: str) -> None:
        """Send the signal that packages which lock accounts listen for."""
        from django.contrib.auth.signals import user_login_failed

        user_login_failed.send(
            sender=__name__,
            credentials={self.fields.login_fields[0]: name},
            request=request.adaptor if isinstance(request.adaptor, HttpRequest) else None,
        )

    def login(self, request: Request, ident: object, password: object, *, by: Any = None) -> Any:
        """Log in the user with a name and a password, and return the user; None when one is wrong.

        Args:
            request: the request, whose answer gets the cookie of a session.
            ident: what one of `login_fields` holds.
            password: the password as it was typed.
            by: one of the ways to prove who one is, such as the sessions; None gives all there are.

        Raises:
            TooManyRequests: there were too many attempts that failed.
            ConfigError: no way to prove who one is can be given to clients.
        """
        user = self.authenticate(request, ident, password)
        if user is not None:
            self.login_user(request, user, by=by)
        return user

    def login_user(self, request: Request, user: Any, *, by: Any = None) -> Any:
        """Log in a user, and return what there is to be handed over: tokens, or the session.

        Args:
            request: the request, whose answer gets the cookie of a session.
            user: the model's instance.
            by: one of the ways to prove who one is, such as the sessions; None gives all there are,
                and returns what the first does.

        Raises:
            ConfigError: no way to prove who one is can be given to clients.
        """
        able = [method for method in self.methods if method.can_login]
        # Where there is none, the first says why not.
        giving = (able or self.methods[:1]) if by is None else [by]
        if by is not None and by not in self.methods:
            raise ConfigError(f"{self!r}.login_user(by={by!r}): it is none of authentication=...")
        self.fields.record_login(user, request)
        users = cast("UserConfig", self)
        given = [method.login(request, users, user) for method in giving]
        self.set_user(request, user)
        request.on_response(_keep_out_of_caches)
        return given[0]

    def logout(self, request: Request) -> None:
        """Make the request's credentials worthless on the server: its session, its token."""
        users = cast("UserConfig", self)
        for method in self.methods:
            method.logout(request, users)
        self.set_user(request, None)

    async def aauthenticate(self, request: Request, ident: object, password: object) -> Any:
        """Return the user with a name and a password; the async twin of `authenticate`."""
        return await sync_to_async(self.authenticate)(request, ident, password)

    async def alogin(
        self, request: Request, ident: object, password: object, *, by: Any = None
    ) -> Any:
        """Log in the user with a name and a password; the async twin of `login`."""
        return await sync_to_async(self.login)(request, ident, password, by=by)

    async def alogin_user(self, request: Request, user: Any, *, by: Any = None) -> Any:
        """Log in a user; the async twin of `login_user`."""
        return await sync_to_async(self.login_user)(request, user, by=by)

    async def alogout(self, request: Request) -> None:
        """Make the request's credentials worthless; the async twin of `logout`."""
        await sync_to_async(self.logout)(request)


def _keep_out_of_caches(response: RawResponse) -> None:
    """Keep credentials out of caches (RFC 6749 section 5.1)."""
    if response.header("cache-control") is None:
        response.set_header("cache-control", "no-store")
