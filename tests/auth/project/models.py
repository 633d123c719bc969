"""Accounts of their own kind, their sessions and keys, and rows that belong to them."""

from django.db import models

from tests.auth.project.apps import LABEL
from utilmeta.core.orm.backends.django.models import (
    AbstractAPIKey,
    AbstractSession,
    PasswordField,
)


class Account(models.Model):
    """A user who is none of Django's."""

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(unique=True)
    password = PasswordField()
    scopes = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    is_superuser = models.BooleanField(default=False)
    last_login = models.DateTimeField(null=True)
    last_ip = models.GenericIPAddressField(null=True)

    class Meta:
        """It belongs to an app that is installed later."""

        app_label = LABEL

    def __str__(self) -> str:
        """Return the name."""
        return self.username


class AccountSession(AbstractSession):
    """A session that tells whose it is."""

    class Meta(AbstractSession.Meta):
        """It belongs to an app that is installed later."""

        abstract = False
        app_label = LABEL


class AccountKey(AbstractAPIKey):
    """A key of an account's programs."""

    user = models.ForeignKey(Account, on_delete=models.CASCADE)

    class Meta:
        """It belongs to an app that is installed later."""

        app_label = LABEL


class Note(models.Model):
    """A text of an account's."""

    slug = models.SlugField(unique=True)
    owner = models.ForeignKey(Account, on_delete=models.CASCADE)
    is_public = models.BooleanField(default=False)

    class Meta:
        """It belongs to an app that is installed later."""

        app_label = LABEL

    def __str__(self) -> str:
        """Return the slug."""
        return self.slug
