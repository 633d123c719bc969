"""The model of a service's users, and what is looked up in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError

# Characters of a name that are looked up.
_MAX_NAME = 1024


@dataclass(frozen=True, kw_only=True)
class UserModel:
    """The model of a service's users.

    Attributes:
        given: the model, `'app.Model'`, or None for Django's `AUTH_USER_MODEL`.
        login_fields: fields by any of which a user may log in.
        password: field that holds the password's hash.
        login_time: field that is set to the time of each login.
        login_ip: field that is set to the address of each login.
        id_field: field whose value sessions and tokens hold.
        scopes: field, property or method that tells what a user may do.
        active: field that is false for those who may not come in.
        needs_active: whether the model has to have that field.
    """

    given: Any
    login_fields: tuple[str, ...]
    password: str
    login_time: str | None
    login_ip: str | None
    id_field: str
    scopes: str | None
    active: str | None
    needs_active: bool

    @property
    def name(self) -> str:
        """The model's name, as it was given."""
        if self.given is None:
            return ""
        return str(getattr(self.given, "__name__", self.given))

    @cached_property
    def model(self) -> Any:
        """The model.

        Raises:
            ConfigError: there is none of that name.
        """
        from django.conf import settings

        given = settings.AUTH_USER_MODEL if self.given is None else self.given
        found = find_model(given, f"auth.User({given!r}): there is no such model")
        if not hasattr(found, "_meta"):
            raise ConfigError(f"auth.User({given!r}): expected a model, or 'app.Model'")
        return found

    @cached_property
    def id_name(self) -> str:
        """Name of the field whose value sessions and tokens hold."""
        names = {item.name for item in self.model._meta.get_fields()}
        return "pk" if self.id_field == "id" and "id" not in names else self.id_field

    @cached_property
    def _has_active(self) -> bool:
        return self.active is not None and hasattr(self.model, self.active)

    def check(self) -> None:
        """Refuse what the model does not have.

        Raises:
            ConfigError: it lacks a field; says which it has.
        """
        names = {item.name for item in self.model._meta.get_fields()}
        wanted: list[tuple[str, str]] = [("login_fields", name) for name in self.login_fields]
        wanted += [("password_field", self.password), ("field", self.id_name)]
        wanted += [("login_time_field", name) for name in [self.login_time] if name]
        wanted += [("login_ip_field", name) for name in [self.login_ip] if name]
        if self.needs_active:
            wanted.append(("active_field", str(self.active)))
        for option, name in wanted:
            if name not in names | {"pk"}:
                raise ConfigError(
                    f"auth.User({self.model.__name__}, {option}={name!r}): the model has no such "
                    f"field; it has {', '.join(sorted(names))}"
                )
        if self.scopes is not None and not hasattr(self.model, self.scopes):
            raise ConfigError(
                f"auth.User({self.model.__name__}, scopes_field={self.scopes!r}): the model has "
                "no field, property or method of this name"
            )

    def find(self, value: Any) -> Any:
        """Return the user of an id, None when there is none."""
        if value is None or isinstance(value, bool) or not isinstance(value, str | int):
            return None
        if isinstance(value, str) and "\0" in value:
            return None
        return self._reader.get(value)

    @cached_property
    def _reader(self) -> Any:
        from utilmeta.core.orm.read.instances import InstanceReader

        return InstanceReader(self.model, self.id_name)

    def candidates(self, name: str) -> list[Any]:
        """Return the users who may log in by a name, those of the first login field first."""
        if not name or len(name) > _MAX_NAME or "\0" in name:
            return []
        from django.db.models import Q

        wanted = Q()
        for field in self.login_fields:
            wanted |= Q(**{field: name})
        found = list(self.model._default_manager.filter(wanted)[: len(self.login_fields)])

        def rank(user: Any) -> int:
            fits = [getattr(user, field, None) == name for field in self.login_fields]
            return fits.index(True) if True in fits else len(fits)

        return sorted(found, key=rank)

    def is_active(self, user: Any) -> bool:
        """Return whether a user may come in."""
        return not self._has_active or bool(getattr(user, str(self.active)))

    def id_of(self, user: Any) -> Any:
        """Return the value that sessions and tokens hold."""
        return getattr(user, self.id_name)

    def scopes_of(self, user: Any) -> list[str]:
        """Return what a user may do."""
        if self.scopes is None:
            return []
        found = getattr(user, self.scopes)
        return as_scopes(found() if callable(found) and not hasattr(found, "all") else found)

    def record_login(self, user: Any, request: Request) -> None:
        """Set the fields that tell of the last login."""
        from django.utils import timezone

        values: dict[str, Any] = {}
        if self.login_time is not None:
            values[self.login_time] = timezone.now()
        if self.login_ip is not None:
            values[self.login_ip] = request.ip_address
        if values:
            for name, value in values.items():
                setattr(user, name, value)
            self.model._base_manager.filter(pk=user.pk).update(**values)


def find_model(given: Any, what: str, advice: str = "") -> Any:
    """Return a model that was given, looked up where it is `'app.Model'`.

    Args:
        given: the model, or a text.
        what: put before the reason why there is none.
        advice: put behind it.

    Raises:
        ConfigError: there is no model of that name.
    """
    if not isinstance(given, str):
        return given
    from django.apps import apps

    try:
        return apps.get_model(given)
    except (LookupError, ValueError) as exc:
        raise ConfigError(f"{what}: {exc}{advice}") from exc


def as_scopes(value: Any) -> list[str]:
    """Return scopes as a list: of a list, of a text, or of related rows."""
    if value is None:
        return []
    if isinstance(value, str):
        return value.replace(",", " ").split()
    if hasattr(value, "all"):
        return [str(item) for item in value.all()]
    if not isinstance(value, Iterable):
        raise ConfigError(f"scopes: expected a list or a text, got {type(value).__name__}")
    return [str(item) for item in value]
