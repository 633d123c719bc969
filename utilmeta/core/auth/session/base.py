"""What all kinds of sessions have in common: the cookie, logging in, saving."""

import re
from functools import cached_property
from typing import Any, ClassVar

from utilmeta.conf.http import Cookie
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.cookies import delete_cookie, send_cookie
from utilmeta.core.auth.csrf import check_csrf, give_token
from utilmeta.core.auth.passwords import fingerprint_of
from utilmeta.core.auth.session.plugin import SessionPlugin
from utilmeta.core.auth.session.session import Session
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.core.request.params import Param

FINGERPRINT = "_user_hash"

# What a key of Django's sessions looks like.
_KEY = re.compile(r"[a-z0-9]{8,40}")


class BaseSession(BaseAuthentication):
    """Base of the kinds of sessions; a subclass says where they are kept.

    `config.plugin` decorates an API whose endpoints use the session without naming it, an argument
    annotated with `config.schema`, or a subclass of it with typed members, is the session.

    Args:
        cookie: the cookie that carries the key, and how long a session lasts after it was saved.
        expire_at_browser_close: whether the cookie goes when the browser is closed.
        save_every_request: whether each request makes a session last anew.
        cycle_key_at_login: whether logging in changes the key, so that one that was planted in the
            browser before is worth nothing.
    """

    header = None
    default_cookie: ClassVar[str] = "sessionid"

    def __init__(
        self,
        *,
        cookie: Cookie | None = None,
        expire_at_browser_close: bool = False,
        save_every_request: bool = False,
        cycle_key_at_login: bool = True,
    ) -> None:
        self._cookie = cookie
        self.expire_at_browser_close = expire_at_browser_close
        self.save_every_request = save_every_request
        self.cycle_key_at_login = cycle_key_at_login
        self.plugin = SessionPlugin(self)

    @cached_property
    def cookie(self) -> Cookie:
        """The cookie that carries the key."""
        return self._cookie or Cookie(name=self.default_cookie)

    @property
    def cookie_name(self) -> str:  # type: ignore[override]
        """Name of the cookie."""
        return self.cookie.name

    @cached_property
    def schema(self) -> Any:
        """The type of its sessions, for annotations."""
        return type("Session", (Session,), {"__utilmeta_plugin__": self.plugin})

    def as_param(self) -> Param:
        """Return the declaration that an argument with this default stands for."""
        return self.plugin.variable.as_param()

    def make_store(self, key: str | None, request: Request) -> Any:
        """Return the session of a key, or a new one, as Django's session engines keep them.

        Args:
            key: the key; None for a new session.
            request: the request.
        """
        raise NotImplementedError

    def native_store(self, request: Request) -> Any:
        """Return the session that the framework has opened, and will save; None without one."""
        return None

    def session_of(self, request: Request) -> Session:
        """Return a request's session, opened when it is first asked for."""
        kept = request.context.get(self._place)
        if kept is None:
            native = self.native_store(request)
            store = self.make_store(self.key_of(request), request) if native is None else native
            kept = Session(store, is_native=native is not None)
            request.context[self._place] = kept
        session: Session = kept
        return session

    def opened(self, request: Request) -> Session | None:
        """Return a request's session when it has been asked for."""
        return request.context.get(self._place)

    @cached_property
    def _place(self) -> str:
        return f"utilmeta session {id(self)}"

    def key_of(self, request: Request) -> str | None:
        """Return the key that a request's cookie holds, None for what is none."""
        key = request.cookies.get(self.cookie_name)
        return key if key is not None and _KEY.fullmatch(key) else None

    # -- proving who one is ---------------------------------------------------------------------

    def sees(self, request: Request) -> bool:
        """Return whether a request has the cookie."""
        return self.cookie_name in request.cookies

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return whose session it is; None for one of nobody.

        Raises:
            InvalidCredentials: there is no such session any more.
        """
        session = self.session_of(request)
        found = session.get(self.key or users.key)
        if found is None:
            if session.is_empty:
                raise InvalidCredentials("the session has ended, or there never was one")
            return None
        return self.identify(session, users, found)

    def identify(self, session: Session, users: UserConfig, found: Any) -> Identity:
        """Return whose session it is.

        Args:
            session: the session.
            users: the `auth.User(...)` that asks.
            found: the user's id, as the session holds it.

        Raises:
            InvalidCredentials: it is nobody's any more.
        """
        return Identity(
            user_id=found, by_cookie=True, fingerprint=session.get(FINGERPRINT, ""), claims=session
        )

    def login(self, request: Request, users: UserConfig, user: Any) -> Session:
        """Make the session the user's, save it under a new key, and return it."""
        session = self.session_of(request)
        key = self.key or users.key
        known = session.get(key)
        if known is not None and known != str(users.fields.id_of(user)):
            # What another has left behind is not this user's.
            session.flush()
        elif self.cycle_key_at_login:
            session.cycle_key()
        session[key] = str(users.fields.id_of(user))
        session[FINGERPRINT] = fingerprint_of(user, users.password_field)
        give_token(request, session)
        return self.kept(request, session)

    def kept(self, request: Request, session: Session) -> Session:
        """Return a session that was saved just now, and whose cookie the answer carries."""
        if not session.is_native:
            session.save()
            self.send(request, session)
        return session

    def logout(self, request: Request, users: UserConfig) -> None:
        """End the session, on the server too.

        Raises:
            CsrfError: another site may have had the request sent.
        """
        if self.sees(request) or self.opened(request) is not None:
            session = self.session_of(request)
            self.check_meant(request, users, session)
            session.flush()
            if not session.is_native:
                delete_cookie(request, self.cookie)

    def check_meant(self, request: Request, users: UserConfig, session: Session) -> None:
        """Refuse to end a session for another site; where the user was asked for, it was done.

        Raises:
            CsrfError: it may be another site's.
        """
        if users.name not in request.context and session.get(self.key or users.key) is not None:
            check_csrf(request, session=session)

    def send(self, request: Request, session: Session) -> None:
        """Have the answer carry the session's cookie."""
        age = None if self.expire_at_browser_close else session.expiry_age
        if session.expires_at_browser_close:
            age = None
        send_cookie(request, self.cookie, str(session.session_key), max_age=age)

    def has_to_save(self, request: Request) -> bool:
        """Return whether a request's session is to be saved."""
        session = self.opened(request)
        if session is None or session.is_native or session.is_empty:
            return False
        return session.modified or self.save_every_request

    def save(self, request: Request) -> None:
        """Save a request's session, and have the answer carry its cookie."""
        session = self.session_of(request)
        try:
            session.save()
        except session.gone:
            # Ended by another request meanwhile, and it stays so.
            delete_cookie(request, self.cookie)
            return
        self.send(request, session)

    def tidy(self, request: Request) -> None:
        """Have the answer drop a cookie that stands for nothing."""
        session = self.opened(request)
        is_ours = session is not None and not session.is_native
        if session is not None and is_ours and session.is_empty and self.sees(request):
            delete_cookie(request, self.cookie)

    # -- set-up ---------------------------------------------------------------------------------

    def plugins(self) -> tuple[SessionPlugin, ...]:
        """Return the plugin that saves the session."""
        return (self.plugin,)

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check it against the service."""
        self.plugin.prepare(rules)

    def check(self, rules: CompileRules) -> None:
        """Refuse a place for sessions that cannot work.

        Raises:
            ConfigError: it is one.
        """

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {"type": "apiKey", "in": "cookie", "name": self.cookie_name}
