"""Accounts, their sessions and keys, and what they write."""

from django.db import models

from utilmeta.core.orm.backends.django.models import (
    AbstractAPIKey,
    AbstractSession,
    PasswordField,
)


class Account(models.Model):
    username = models.CharField(max_length=30, unique=True)
    email = models.EmailField(unique=True)
    password = PasswordField(min_length=8)
    is_active = models.BooleanField(default=True)
    scopes = models.JSONField(default=list)
    last_login = models.DateTimeField(null=True)


class Session(AbstractSession):
    pass


class Key(AbstractAPIKey):
    user = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="keys")


class Note(models.Model):
    owner = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    is_public = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
