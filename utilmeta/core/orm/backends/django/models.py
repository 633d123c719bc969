"""Fields and abstract models that users of a service need: passwords, sessions, keys."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.hashers import identify_hasher, is_password_usable, make_password
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models

from utilmeta.conf.http import SESSION_SALT

if TYPE_CHECKING:
    CharField = models.CharField[Any, Any]
else:
    CharField = models.CharField


class PasswordField(CharField):
    """A column that holds the hash of a password, never the password.

    What clients send through a schema is checked against the rules given here and hashed, whatever
    it looks like; answers never hold it. What code gives to the model is hashed when it is saved,
    unless it is one of Django's hashes already, as `make_password` gives.

    Args:
        *args: as for `CharField`.
        min_length: characters that a password must have.
        max_password_length: characters that it may have.
        regex: what it must match.
        **kwargs: as for `CharField`; `max_length` is of the hash, 128 unless given.
    """

    # What `orm.Schema` looks at: clients set it, answers do not hold it.
    utilmeta_write_only = True

    def __init__(
        self,
        *args: Any,
        min_length: int = 8,
        max_password_length: int = 128,
        regex: str | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("max_length", 128)
        super().__init__(*args, **kwargs)
        self.min_length = min_length
        self.max_password_length = max_password_length
        self.regex = regex

    def deconstruct(self) -> Any:
        """Return what migrations keep: rules for passwords change no column."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    @property
    def password_validators(self) -> list[Any]:
        """The rules for what clients send."""
        found: list[Any] = [MinLengthValidator(self.min_length)]
        found.append(MaxLengthValidator(self.max_password_length))
        if self.regex is not None:
            found.append(RegexValidator(self.regex))
        return found

    @property
    def client_schema(self) -> dict[str, Any]:
        """What the API's description says of it."""
        found: dict[str, Any] = {
            "format": "password",
            "writeOnly": True,
            "minLength": self.min_length,
            "maxLength": self.max_password_length,
        }
        return found if self.regex is None else {**found, "pattern": self.regex}

    @staticmethod
    def utilmeta_from_client(value: Any) -> Any:
        """Return what is stored for what a client has sent: always a hash of it."""
        return value if value is None else make_password(value)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """Return the hash that is stored, and put it on the instance."""
        value = getattr(model_instance, self.attname)
        encoded = self._encoded(value)
        if encoded is not value:
            setattr(model_instance, self.attname, encoded)
        return encoded

    def get_prep_value(self, value: Any) -> Any:
        """Return the hash that is stored, for updates of many rows as well."""
        return self._encoded(super().get_prep_value(value))

    @staticmethod
    def _encoded(value: Any) -> Any:
        if not isinstance(value, str) or value == "" or not is_password_usable(value):
            return value
        try:
            identify_hasher(value)
        except ValueError:
            return make_password(value)
        return value


# What a session engine knows of a row that it saves again.
_TOLD = ("session_data", "expire_date", "user_key", "ip_address", "user_agent")


class AbstractSession(AbstractBaseSession):
    """Sessions in a table of the project's, which tells whose they are: for `DBSession`."""

    user_key = models.CharField(max_length=255, null=True, blank=True, db_index=True)  # noqa: DJ001
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AbstractBaseSession.Meta):
        """It is abstract."""

        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it; a session engine, which makes its rows anew, changes only what it knows."""
        if kwargs.get("force_update") and self._state.adding:
            kwargs.setdefault("update_fields", _TOLD)
        super().save(*args, **kwargs)

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Return the session engine of this model, as Django's commands want it."""
        from django.contrib.sessions.backends.db import SessionStore

        class Store(SessionStore):
            key_salt = SESSION_SALT

            @classmethod
            def get_model_class(cls) -> Any:
                return model

        model = cls
        return Store


class AbstractAPIKey(models.Model):
    """Keys of programs: for `auth.api_key.APIKey`; a subclass has the foreign key to the user."""

    prefix = models.CharField(max_length=32, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True, default="")
    scopes = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """It is abstract."""

        abstract = True

    def __str__(self) -> str:
        """Return what the key is for, and how it begins."""
        return f"{self.name} ({self.prefix})"
