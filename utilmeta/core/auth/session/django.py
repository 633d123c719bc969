"""Django's own sessions, and the users of `django.contrib.auth` in them."""

from functools import cached_property
from importlib import import_module
from typing import Any

from django.http import HttpRequest

from utilmeta.conf.http import Cookie
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import Identity, InvalidCredentials
from utilmeta.core.auth.cookies import django_cookie
from utilmeta.core.auth.csrf import give_token
from utilmeta.core.auth.session.base import BaseSession
from utilmeta.core.auth.session.session import Session
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError


class DjangoSession(BaseSession):
    """Django's own sessions, by its `SESSION_...` settings: who logs in here is logged in there.

    Views of Django's beside the API, the admin included, know the user as `request.user`, and the
    endpoints know who has logged in at the admin. The users are those of `AUTH_USER_MODEL`.

    Args:
        **options: `save_every_request` and `expire_at_browser_close` take Django's settings when
            they are left out; the cookie is Django's.
    """

    # django.contrib.auth.SESSION_KEY
    key = "_auth_user_id"

    def __init__(self, **options: Any) -> None:
        if "cookie" in options:
            raise ConfigError(
                "DjangoSession(cookie=...): its cookie is Django's; set SESSION_COOKIE_NAME and "
                "its neighbours with DjangoSettings(extra={...})"
            )
        self._save = options.get("save_every_request")
        self._close = options.get("expire_at_browser_close")
        super().__init__(**options)

    @cached_property
    def cookie(self) -> Cookie:
        """Django's cookie."""
        from django.conf import settings

        return django_cookie("SESSION", age=settings.SESSION_COOKIE_AGE)

    def make_store(self, key: str | None, _request: Request) -> Any:
        """Return the session of a key, or a new one, by `SESSION_ENGINE`."""
        from django.conf import settings

        return import_module(settings.SESSION_ENGINE).SessionStore(key)

    def native_store(self, request: Request) -> Any:
        """Return the session that Django's SessionMiddleware has opened; None where it did not."""
        native = request.adaptor
        return getattr(native, "session", None) if isinstance(native, HttpRequest) else None

    def key_of(self, request: Request) -> str | None:
        """Return what the cookie holds, which some engines keep all of the session in."""
        return request.cookies.get(self.cookie_name)

    def identify(self, session: Session, users: UserConfig, found: Any) -> Identity:
        """Return whose session it is, as the backend does that has let the user in."""
        from django.contrib.auth import HASH_SESSION_KEY

        user = self._find(session, users, found)
        has_hash = hasattr(user, "get_session_auth_hash")
        fingerprint = session.get(HASH_SESSION_KEY, "") if has_hash else None
        return Identity(user=user, by_cookie=True, fingerprint=fingerprint, claims=session)

    @staticmethod
    def _find(session: Session, users: UserConfig, key: Any) -> Any:
        """Return the user, as the backend does that has let the user in.

        Raises:
            InvalidCredentials: the backend, or the user, is not there any more.
        """
        from django.conf import settings
        from django.contrib.auth import BACKEND_SESSION_KEY, load_backend
        from django.core.exceptions import ValidationError

        path = str(session.get(BACKEND_SESSION_KEY))
        if path not in settings.AUTHENTICATION_BACKENDS:
            raise InvalidCredentials(f"{path!r} is none of AUTHENTICATION_BACKENDS")
        try:
            user = load_backend(path).get_user(users.fields.model._meta.pk.to_python(key))
        except ValidationError as exc:
            raise InvalidCredentials("the session holds no user's key") from exc
        if user is None:
            raise InvalidCredentials("there is no such user")
        return user

    def login(self, request: Request, _users: UserConfig, user: Any) -> Session:
        """Make the session the user's, as `django.contrib.auth.login` does, and return it."""
        from django.conf import settings
        from django.contrib.auth import login

        session = self.session_of(request)
        backend = getattr(user, "backend", None) or settings.AUTHENTICATION_BACKENDS[0]
        view = self._as_django(request, session)
        login(view, user, backend)
        # The one that Django's middleware, where it is there, sends as well.
        give_token(request, session, secret=view.META["CSRF_COOKIE"])
        return self.kept(request, session)

    def logout(self, request: Request, users: UserConfig) -> None:
        """End the session, as `django.contrib.auth.logout` does."""
        from django.contrib.auth import logout

        if self.sees(request) or self.opened(request) is not None:
            session = self.session_of(request)
            self.check_meant(request, users, session)
            view = self._as_django(request, session)
            view.user = request.context.get(users.name)
            logout(view)
            super().logout(request, users)

    @staticmethod
    def _as_django(request: Request, session: Session) -> Any:
        """Return the request as Django's functions want it."""
        native: Any = request.adaptor
        if session.is_native:
            return native
        view: Any = HttpRequest()
        view.method, view.session, view.user = request.method, session.store, None
        view.META["REMOTE_ADDR"] = request.ip_address or ""
        view.META["HTTP_USER_AGENT"] = request.raw.header("user-agent") or ""
        return view

    def check(self, _rules: CompileRules) -> None:
        """Refuse settings without what Django's sessions and users need.

        Raises:
            ConfigError: an app is missing.
        """
        from django.apps import apps
        from django.conf import settings

        needed = ["django.contrib.contenttypes", "django.contrib.auth"]
        if settings.SESSION_ENGINE.endswith("db"):
            needed.append("django.contrib.sessions")
        missing = [name for name in needed if not apps.is_installed(name)]
        if missing:
            raise ConfigError(
                f"DjangoSession(): add to DjangoSettings(apps=...): {', '.join(missing)}"
            )
        if self._save is None:
            self.save_every_request = settings.SESSION_SAVE_EVERY_REQUEST
        if self._close is None:
            self.expire_at_browser_close = settings.SESSION_EXPIRE_AT_BROWSER_CLOSE

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check it against the service.

        Raises:
            ConfigError: the users are of another model than Django's.
        """
        from django.contrib.auth import get_user_model

        super().prepare(rules, users)
        if users.fields.model is not get_user_model():
            raise ConfigError(
                f"{users!r} with DjangoSession(): Django's sessions are of AUTH_USER_MODEL, "
                f"{get_user_model().__name__}; use another kind of session for "
                f"{users.fields.model.__name__}"
            )
