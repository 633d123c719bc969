"""Sessions in the database."""

from functools import cached_property
from typing import Any

from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.models import find_model
from utilmeta.core.auth.session.base import BaseSession
from utilmeta.core.auth.session.stores import db_store
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError


class DBSession(BaseSession):
    """Sessions in a model's table.

    Args:
        session_model: a subclass of `AbstractSession` or of Django's `AbstractBaseSession`, or
            `'app.Model'`; None takes `django.contrib.sessions`' own.
        **options: as for `BaseSession`.
    """

    def __init__(self, session_model: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self._given = "sessions.Session" if session_model is None else session_model
        self._user_key = "_user_id"

    @cached_property
    def session_model(self) -> Any:
        """The model.

        Raises:
            ConfigError: it is none of sessions, or not installed.
        """
        from django.contrib.sessions.base_session import AbstractBaseSession

        what = f"{type(self).__name__}(session_model={self._given!r})"
        advice = "; add its app, such as 'django.contrib.sessions', to DjangoSettings(apps=...)"
        model = find_model(self._given, what, advice)
        if not (isinstance(model, type) and issubclass(model, AbstractBaseSession)):
            raise ConfigError(
                f"{what}: expected a subclass of "
                "utilmeta.core.orm.backends.django.models.AbstractSession"
            )
        return model

    def make_store(self, key: str | None, request: Request) -> Any:
        """Return the session of a key, or a new one."""
        store: Any = db_store(self.session_model)(key)
        return self._told(store, request)

    def _told(self, store: Any, request: Request) -> Any:
        store.config, store.request, store.user_key = self, request, self._user_key
        return store

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check it against the service."""
        super().prepare(rules, users)
        self._user_key = self.key or users.key

    def check(self, _rules: CompileRules) -> None:
        """Refuse a model that is none of sessions."""
        _ = self.session_model

    def revoke(self, user_id: Any) -> int:
        """End all sessions of a user, and return how many there were.

        Args:
            user_id: value of the user model's field that sessions hold.

        Raises:
            ConfigError: the model does not say whose its sessions are.
        """
        rows = self._sessions_of(user_id)
        found, _ = rows.delete()
        return int(found)

    def _sessions_of(self, user_id: Any) -> Any:
        model = self.session_model
        if not any(field.name == "user_key" for field in model._meta.concrete_fields):
            raise ConfigError(
                f"{type(self).__name__}.revoke: {model.__name__} does not say whose its sessions "
                "are; use a subclass of utilmeta.core.orm.backends.django.models.AbstractSession"
            )
        return model._default_manager.filter(user_key=str(user_id))
