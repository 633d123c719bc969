"""Who the users are, and how they prove it."""

import os

from people.models import Account, Key, Session
from utilmeta.conf.http import Cookie
from utilmeta.core import auth
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.session.db import DBSession

sessions = DBSession(Session, cookie=Cookie(name="session", age=7 * 24 * 3600))
tokens = JsonWebToken(
    os.environ["JWT_SECRET"],
    audience="people",
    age=15 * 60,
    refresh_age=30 * 24 * 3600,
    revocation="default",
)
keys = APIKey(Key)

accounts = auth.User(
    Account,
    authentication=[tokens, keys, sessions],
    login_fields=["username", "email"],
    login_time_field="last_login",
    scopes_field="scopes",
)
