"""Whose requests the API answers: users who log in by e-mail address, and carry a token."""

from datetime import timedelta

from testproject.conduit.models import User
from utilmeta.core import auth
from utilmeta.core.auth.jwt import JsonWebToken

# `Authorization: Token <jwt>`, signed with Django's SECRET_KEY. Logging in puts the token into the
# user's `token`.
tokens = JsonWebToken(
    scheme="Token",
    age=timedelta(days=30),
    user_token_field="token",  # noqa: S106 - the name of an attribute
)

users = auth.User(User, authentication=tokens, login_fields="email")
