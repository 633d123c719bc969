"""The users of a service: who they are, and how they prove it."""

import itertools
import logging
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async

from utilmeta.core.api.calling import Call, Steps, adrive, call_async, call_now, drive
from utilmeta.core.api.errors import shown
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.csrf import CsrfError, check_csrf, form_token, give_token, has_token
from utilmeta.core.auth.entering import Entering
from utilmeta.core.auth.guard import Authenticate
from utilmeta.core.auth.models import UserModel
from utilmeta.core.auth.passwords import is_fingerprint_of
from utilmeta.core.auth.refusal import IDENTITY, USERS, printable
from utilmeta.core.auth.throttle import Throttle
from utilmeta.core.request import Request, var
from utilmeta.utils.exceptions import ConfigError, HttpError, PermissionDenied, Unauthorized

logger = logging.getLogger("utilmeta.auth")

_numbers = itertools.count(1)
_ABSENT: Any = object()


class UserConfig(Entering):
    """The users of a service; `auth.User(...)` makes one, once, at the top of a module.

    As an argument's default, or the value of an API class's attribute, it is the user who sent the
    request: `user: Account = users`. Without valid credentials the answer is 401; where the type
    admits None, the argument is None.

    Args:
        model: the users' model, `'app.Model'`, or None for Django's `AUTH_USER_MODEL`.
        authentication: how users prove who they are; of several the first that succeeds counts.
        login_fields: fields by any of which a user may log in.
        password_field: field that holds the password's hash.
        login_time_field: field that is set to the time of each login.
        login_ip_field: field that is set to the address of each login.
        key: what sessions and tokens call the user's id.
        field: field of the model whose value that is.
        scopes_field: field, property or method that tells what a user may do: a list, or a text
            divided by spaces or commas.
        active_field: field that is false for those who may not come in; None for no such field.
            Left out it is `is_active` where the model has that.
        throttle: how often a name may fail to log in from one address, and an address ten times as
            often; None for any number.
        throttle_cache: alias of the cache that counts for all processes; None counts in each.

    Raises:
        ConfigError: an argument is wrong; what the model lacks is told at set-up.
    """

    def __init__(
        self,
        model: Any = None,
        *,
        authentication: BaseAuthentication | Sequence[BaseAuthentication],
        login_fields: str | Sequence[str] = ("username",),
        password_field: str = "password",  # noqa: S107
        login_time_field: str | None = None,
        login_ip_field: str | None = None,
        key: str = "_user_id",
        field: str = "id",
        scopes_field: str | None = None,
        active_field: str | None = _ABSENT,
        throttle: str | None = "10/minute",
        throttle_cache: str | None = None,
    ) -> None:
        super().__init__(f"user_{next(_numbers)}", is_quick=True)
        is_one = isinstance(authentication, BaseAuthentication)
        methods: Any = (authentication,) if is_one else authentication
        if not methods or not all(isinstance(item, BaseAuthentication) for item in methods):
            raise ConfigError(
                f"auth.User(authentication={authentication!r}): expected a way to prove who one "
                "is, such as auth.jwt.JsonWebToken(...), or several"
            )
        self.methods: tuple[BaseAuthentication, ...] = tuple(methods)
        self.fields = UserModel(
            given=model,
            login_fields=(login_fields,) if isinstance(login_fields, str) else tuple(login_fields),
            password=password_field,
            login_time=login_time_field,
            login_ip=login_ip_field,
            id_field=field,
            scopes=scopes_field,
            active="is_active" if active_field is _ABSENT else active_field,
            needs_active=active_field not in (_ABSENT, None),
        )
        self.key = key
        self.throttle = None if throttle is None else Throttle(throttle, throttle_cache)
        self._guards = {needed: Authenticate(self, required=needed) for needed in (True, False)}

    def __repr__(self) -> str:
        return f"auth.User({self.fields.name})"

    @property
    def password_field(self) -> str:
        """The model's field that holds the password's hash."""
        return self.fields.password

    def guards(self, *, required: bool) -> tuple[Any, ...]:
        """Return the plugins that stand before an endpoint with an argument of this value."""
        return (
            *(plugin for method in self.methods for plugin in method.plugins()),
            self._guards[required],
        )

    @cached_property
    def varies(self) -> tuple[str, ...]:
        """Headers of a request that an answer depends on."""
        headers = [method.header for method in self.methods if method.header is not None]
        has_cookie = any(method.cookie_name is not None for method in self.methods)
        return tuple(dict.fromkeys([*headers, *(["Cookie"] if has_cookie else [])]))

    @cached_property
    def challenge(self) -> str:
        """Value of the `WWW-Authenticate` header."""
        found = dict.fromkeys(method.challenge for method in self.methods if method.challenge)
        return ", ".join(found) or "Cookie"

    def prepare(self, rules: CompileRules) -> None:
        """Check the users against the service, once for each endpoint at set-up.

        Raises:
            ConfigError: the model lacks a field, or a way to prove who one is cannot work.
        """
        self.fields.check()
        for method in self.methods:
            if method.is_async and not rules.asynchronous:
                raise ConfigError(
                    f"{self!r}: {type(method).__name__}.authenticate is async, but the service is "
                    "sync; write a plain function, or give UtilMeta(asynchronous=True)"
                )
            method.prepare(rules, self)

    def schemes(self) -> dict[str, Any]:
        """Return the security schemes by name, as OpenAPI describes them."""
        return {method.scheme_name: dict(method.scheme()) for method in self.methods}

    # -- whose request it is --------------------------------------------------------------------

    def get(self, request: Request) -> Any:
        """Return the user who sent a request, None without valid credentials.

        Raises:
            CsrfError: a cookie would prove it, but another site may have had the request sent.
            RuntimeError: it takes an event loop to find out; see `aget`.
        """
        if self.name not in request.context:
            drive(self.steps(request), _call_here)
        return request.context[self.name]

    async def aget(self, request: Request) -> Any:
        """Return the user who sent a request; the async twin of `get`."""
        if self.name not in request.context:
            await adrive(self.steps(request), _acall_here)
        return request.context[self.name]

    def steps(self, request: Request) -> Steps:
        """Yield the calls that find out who sent a request; harmless when repeated."""
        if self.name in request.context:
            return
        refusals: list[HttpError] = []
        found = None
        for method in self.methods:
            if not method.sees(request):
                continue
            reading = method.reading(request)
            if reading is not None:
                yield reading
            form: Any = {}
            if method.cookie_name is not None:
                form = yield from form_token(request)
            try:
                if method.is_async:
                    identity = yield Call(method.authenticate, (request, self), is_async=True)
                    found = yield Call(self._accept, (method, identity, request, form))
                else:
                    found = yield Call(self._check, (method, request, form))
            except (Unauthorized, PermissionDenied) as exc:
                refusals.append(exc)
            if found is not None:
                break
        request.context[USERS] = self
        self._settle(request, found, refusals)

    def _check(self, method: BaseAuthentication, request: Request, form: Any) -> Any:
        """Return user, identity and scopes as one method says, None when it says nothing."""
        return self._accept(method, method.authenticate(request, self), request, form)

    def _accept(
        self, method: BaseAuthentication, identity: Identity | None, request: Request, form: Any
    ) -> Any:
        if identity is None:
            return None
        user = identity.user
        if user is None:
            user = self.fields.find(identity.user_id)
        if user is None:
            raise InvalidCredentials("there is no such user", code="invalid_token")
        if not self.fields.is_active(user):
            raise InvalidCredentials("the user is not active", code="invalid_token")
        known = identity.fingerprint
        if known is not None and not is_fingerprint_of(user, self.password_field, known):
            raise InvalidCredentials("the password has changed since", code="invalid_token")
        if identity.by_cookie:
            session = method.session_of(request)
            check_csrf(request, form, session)
            if not has_token(request):
                give_token(request, session)
        return user, identity, self.fields.scopes_of(user)

    def _settle(self, request: Request, found: Any, refusals: Sequence[HttpError]) -> None:
        """Keep on the request what came of its credentials.

        Raises:
            CsrfError: only the proof that the request was meant is missing.
        """
        for refusal in refusals:
            logger.info("%s: %s", shown(request), printable(_reason(refusal)))
        if found is None:
            for refusal in refusals:
                if isinstance(refusal, CsrfError):
                    raise refusal
            request.context[self.name] = None
            request.context[f"{self.name} refused"] = refusals[0] if refusals else None
            return
        user, identity, scopes = found
        self.set_user(request, user, identity=identity, scopes=scopes)

    def set_user(
        self,
        request: Request,
        user: Any,
        *,
        identity: Identity | None = None,
        scopes: Sequence[str] | None = None,
    ) -> None:
        """Say who sent a request, as a test or a check of your own has found out.

        Args:
            request: the request.
            user: the model's instance; None for nobody.
            identity: what the credentials say.
            scopes: what the user may do; None looks it up.
        """
        request.context[self.name] = user
        if user is None:
            for variable in (var.user, var.user_id, var.scopes):
                request.context.pop(variable.name, None)
            return
        mine = self.fields.scopes_of(user) if scopes is None else scopes
        var.user.set(request, user)
        var.user_id.set(request, self.fields.id_of(user))
        var.scopes.set(request, _allowed(mine, identity, has_own=self.fields.scopes is not None))
        if identity is not None:
            request.context[IDENTITY] = identity

    def refusal(self, request: Request) -> HttpError:
        """Return the answer to a request of nobody: 401 with what would be accepted."""
        failed = request.context.get(f"{self.name} refused")
        reason = "there are no credentials" if failed is None else _reason(failed)
        logger.warning("%s: refused, as %s", shown(request), printable(reason))
        challenge = self.challenge
        code = getattr(failed, "code", None)
        if code is not None and challenge.startswith("Bearer"):
            first, _, rest = challenge.partition(", ")
            glue = ", " if " " in first else " "
            challenge = f'{first}{glue}error="{code}"' + (f", {rest}" if rest else "")
        message = "Authentication is required" if failed is None else failed.message
        errors = []
        if request.rules.explains:
            errors = [{"reason": reason}]
        return Unauthorized(message, challenge=challenge, code=code, errors=errors)


def _reason(refusal: HttpError) -> str:
    """Return why credentials were not accepted, for the log."""
    return str(getattr(refusal, "reason", refusal.message))


def _call_here(call: Call) -> Any:
    if call.is_async:
        raise RuntimeError("auth.User: it waits on an event loop; await aget(request)")
    return call_now(call)


async def _acall_here(call: Call) -> Any:
    if call.twin is not None:
        return await call.twin(*call.args)
    if call.is_async:
        return await call_async(call)
    return await sync_to_async(call.function)(*call.args, **call.kwargs)


def _allowed(mine: Sequence[str], identity: Identity | None, *, has_own: bool) -> list[str]:
    """Return what a user may do with these credentials: no more than either allows."""
    limit = None if identity is None else identity.scopes
    if limit is None:
        return list(mine)
    return [scope for scope in limit if scope in mine] if has_own else list(limit)


# Typed as Any so that `user: Account = users` satisfies type checkers.
User: Any = UserConfig
