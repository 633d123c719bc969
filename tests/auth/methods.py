"""Every way to prove who one is, with what clients send that is right, and each way it is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
from django.apps import apps
from django.core.cache import caches
from django.utils import timezone

from testproject.conduit.models import User as DjangoUser
from tests.auth.accounts import SECRET, basic, bearer, cookies
from tests.auth.conftest import PASSWORD
from tests.auth.project.models import Account, AccountKey, AccountSession
from utilmeta.conf.http import Cookie
from utilmeta.core.auth.api_key import APIKey
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.basic import BasicAuth
from utilmeta.core.auth.jwt import JsonWebToken
from utilmeta.core.auth.oauth2 import OAuth2
from utilmeta.core.auth.session.cache import CacheSession
from utilmeta.core.auth.session.cached_db import CachedDBSession
from utilmeta.core.auth.session.db import DBSession
from utilmeta.core.auth.session.django import DjangoSession
from utilmeta.core.auth.signature import Signature, SigningKey, sign
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.testing import Client

Headers = dict[str, str]
# What a client sends with a request for a path.
Creds = Callable[[str], Headers]

# Well-formed, and nobody's.
NO_SESSION = "a" * 32
SIGNING = b"s" * 32
FLOWS = {"clientCredentials": {"tokenUrl": "https://id.example.com/token"}}
SESSIONS_MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]


@dataclass
class World:
    """What the ways below work with."""

    client: Client
    users: UserConfig

    @property
    def method(self) -> Any:
        """The first way of the users."""
        return self.users.methods[0]


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to prove who one is.

    Attributes:
        name: for the test's name.
        make: returns it.
        grant: returns what a user's client sends.
        wrong: what a client sends that guesses.
        malformed: what a client sends that is none of its kind.
        tampered: returns what was granted, changed a little.
        expired: returns what a user's client sends once it has ended; None where nothing ends.
        revoked: makes what was granted worthless; None where nothing can.
        challenge: the `WWW-Authenticate` header of an answer to nobody.
        error: the bearer challenge's code of what is wrong; None for a challenge of another kind.
        model: the users' model.
        settings: Django's, while the service runs.
        is_async: whether only async services can have it.
    """

    name: str
    make: Callable[[], BaseAuthentication]
    grant: Callable[[World, Any], Creds]
    wrong: Headers
    malformed: Headers
    tampered: Callable[[Creds], Creds]
    expired: Callable[[World, Any], Creds] | None = None
    revoked: Callable[[World, Creds], None] | None = None
    challenge: str = "Cookie"
    error: str | None = None
    malformed_error: str | None = None
    model: Any = Account
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_async: bool = False


def always(headers: Headers) -> Creds:
    """Return what a client sends with every request."""
    return lambda _path: dict(headers)


def changed(name: str, at: int = -12) -> Callable[[Creds], Creds]:
    """Return what changes one character of a header."""

    def change(creds: Creds) -> Creds:
        def send(path: str) -> Headers:
            headers = creds(path)
            text = headers[name]
            other = "b" if text[at] in "aA" else "a"
            return {**headers, name: text[:at] + other + text[at:][1:]}

        return send

    return change


# -- sessions ------------------------------------------------------------------------------------


def log_in(world: World, user: Any) -> Creds:
    """Log in through the service, and return the cookie it gave."""
    world.client.cookies.clear()
    answer = world.client.post("/login", json={"name": user.username, "password": PASSWORD})
    assert answer.text == "yes", answer.text
    key = world.client.cookies["sessionid"]
    world.client.cookies.clear()
    return always(cookies(sessionid=key))


def log_out(world: World, creds: Creds) -> None:
    """Log out through the service."""
    token = "t" * 32
    headers = creds("/logout")
    headers["Cookie"] += f"; csrftoken={token}"
    answer = world.client.post("/logout", headers={**headers, "X-CSRFToken": token})
    assert answer.status_code == 204, answer.text
    world.client.cookies.clear()


def key_of(creds: Creds) -> str:
    """Return the session's key."""
    return creds("/")["Cookie"].partition("=")[2]


def expire_rows(world: World, user: Any) -> Creds:
    """Log in, and let the session's row be of the past."""
    creds = log_in(world, user)
    model = getattr(world.method, "session_model", apps.get_model("sessions.Session"))
    rows = model.objects.filter(pk=key_of(creds))
    assert rows.update(expire_date=timezone.now() - timedelta(seconds=1)) == 1
    caches["default"].clear()
    return creds


def expire_cached(world: World, user: Any) -> Creds:
    """Log in, and let the cache's time be over."""
    creds = log_in(world, user)
    store = world.method.make_store(key_of(creds), None)
    assert caches["default"].touch(store.cache_key, -1)
    return creds


def session(name: str, make: Callable[[], BaseAuthentication], **options: Any) -> Method:
    """Return a kind of sessions."""
    given: dict[str, Any] = {
        "grant": log_in,
        "wrong": cookies(sessionid=NO_SESSION),
        "malformed": cookies(sessionid="../../etc/passwd"),
        "tampered": changed("Cookie"),
        "expired": expire_rows,
        "revoked": log_out,
        **options,
    }
    return Method(name=name, make=make, **given)


# -- tokens --------------------------------------------------------------------------------------


def issue(world: World, user: Any) -> str:
    """Return a token of a user."""
    token: str = world.method.issue(world.users, user).access_token
    return token


def past(world: World, user: Any) -> str:
    """Return a token that has ended."""
    token: str = world.method.encode({"_user_id": user.pk, "exp": 1_000_000_000})
    return token


def foreign(**claims: Any) -> str:
    """Return a token that somebody else has signed."""
    return jwt.encode({"_user_id": 1, "exp": 9_999_999_999, **claims}, "x" * 64, algorithm="HS256")


def token_cookie() -> JsonWebToken:
    """Return tokens in a cookie."""
    return JsonWebToken(SECRET, cookie=Cookie(name="token"), revocation="default")


# -- OAuth 2 -------------------------------------------------------------------------------------


def issued_elsewhere(_world: World, user: Any) -> Creds:
    """Return a token of the authorization server."""
    claims = {"sub": str(user.pk), "exp": 9_999_999_999}
    return always(bearer(jwt.encode(claims, SECRET, algorithm="HS256")))


def expired_elsewhere(_world: World, user: Any) -> Creds:
    """Return a token of the authorization server that has ended."""
    claims = {"sub": str(user.pk), "exp": 1_000_000_000}
    return always(bearer(jwt.encode(claims, SECRET, algorithm="HS256")))


ACTIVE: dict[str, dict[str, Any]] = {}


def introspect(token: str) -> dict[str, Any] | None:
    """Return what an authorization server says of a token."""
    return ACTIVE.get(token)


def activate(_world: World, user: Any) -> Creds:
    """Return a token that the authorization server knows."""
    ACTIVE[f"opaque-{user.pk}-token-of-its-own"] = {"sub": str(user.pk)}
    return always(bearer(f"opaque-{user.pk}-token-of-its-own"))


# -- keys ----------------------------------------------------------------------------------------


def key(header: str, prefix: str = "", **options: Any) -> Callable[[World, Any], Creds]:
    """Return what makes a key for a user."""

    def grant(world: World, user: Any) -> Creds:
        _, secret = world.method.create(user, **options)
        return always({header: f"{prefix}{secret}"})

    return grant


def revoke_keys(_world: World, _creds: Creds) -> None:
    """Revoke all keys."""
    assert AccountKey.objects.update(revoked_at=timezone.now())


SIGNING_IDS: dict[str, Any] = {}


def signing_key(name: str) -> SigningKey | None:
    """Return a signing key by its id."""
    user_id = SIGNING_IDS.get(name)
    return None if user_id is None else SigningKey(secret=SIGNING, user_id=user_id)


def signed(created: int | None = None) -> Callable[[World, Any], Creds]:
    """Return what signs requests of a user."""

    def grant(_world: World, user: Any) -> Creds:
        SIGNING_IDS[f"key-{user.pk}"] = user.pk

        def send(path: str) -> Headers:
            return sign(
                SIGNING,
                f"key-{user.pk}",
                method="GET",
                host="localhost",
                path=path,
                created=created,
            )

        return send

    return grant


def withdraw_signing(_world: World, _creds: Creds) -> None:
    """Take all signing keys back."""
    SIGNING_IDS.clear()


# -- ways of one's own ---------------------------------------------------------------------------


class Badge(BaseAuthentication):
    """The name of the user in a header, with a word that only friends know."""

    header = "X-Badge"
    challenge = "Badge"

    def sees(self, request: Request) -> bool:
        """Return whether there is a badge."""
        return request.raw.header("x-badge") is not None

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return whose badge it is."""
        word, _, name = (request.raw.header("x-badge") or "").partition(" ")
        if word != "friend":
            raise InvalidCredentials("no friend")
        user = Account.objects.filter(username=name).first()
        return Identity(user=user, user_id=None)


class AsyncBadge(Badge):
    """The same, async."""

    async def authenticate(  # type: ignore[override]
        self, request: Request, users: UserConfig
    ) -> Identity | None:
        """Return whose badge it is."""
        word, _, name = (request.raw.header("x-badge") or "").partition(" ")
        if word != "friend":
            raise InvalidCredentials("no friend")
        return Identity(user=await Account.objects.filter(username=name).afirst())


def badge(_world: World, user: Any) -> Creds:
    """Return a user's badge."""
    return always({"X-Badge": f"friend {user.username}"})


def bad_badge(name: str, kind: type[Badge], **options: Any) -> Method:
    """Return a way of one's own."""
    return Method(
        name=name,
        make=kind,
        grant=badge,
        wrong={"X-Badge": "friend nobody"},
        malformed={"X-Badge": "foe"},
        tampered=changed("X-Badge", 1),
        challenge="Badge",
        **options,
    )


METHODS = (
    session("cache-session", CacheSession, expired=expire_cached),
    session("db-session", DBSession),
    session("own-db-session", lambda: DBSession(AccountSession)),
    session("cached-db-session", lambda: CachedDBSession(AccountSession)),
    session("django-session", DjangoSession, model=DjangoUser),
    session(
        "django-session-of-middleware",
        DjangoSession,
        model=DjangoUser,
        settings={"MIDDLEWARE": SESSIONS_MIDDLEWARE},
    ),
    Method(
        name="jwt",
        make=lambda: JsonWebToken(SECRET, revocation="default"),
        grant=lambda world, user: always(bearer(issue(world, user))),
        wrong=bearer(foreign()),
        malformed={"Authorization": "Bearer a b"},
        tampered=changed("Authorization"),
        expired=lambda world, user: always(bearer(past(world, user))),
        revoked=lambda world, creds: world.method.revoke(creds("/")["Authorization"][7:]),
        challenge="Bearer",
        error="invalid_token",
        malformed_error="invalid_request",
    ),
    Method(
        name="jwt-cookie",
        make=token_cookie,
        grant=lambda world, user: always(cookies(token=issue(world, user))),
        wrong=cookies(token=foreign()),
        malformed=cookies(token="none"),
        tampered=changed("Cookie"),
        expired=lambda world, user: always(cookies(token=past(world, user))),
        revoked=lambda world, creds: world.method.revoke(key_of(creds)),
    ),
    Method(
        name="basic",
        make=BasicAuth,
        grant=lambda _world, user: always(basic(user.username)),
        wrong=basic("ann", "guessed"),
        malformed={"Authorization": "Basic ???"},
        tampered=changed("Authorization", -6),
        challenge='Basic realm="api", charset="UTF-8"',
    ),
    Method(
        name="api-key",
        make=lambda: APIKey(AccountKey),
        grant=key("X-API-Key"),
        wrong={"X-API-Key": "0123456789abcdef.guessed"},
        malformed={"X-API-Key": "no key"},
        tampered=changed("X-API-Key"),
        expired=key("X-API-Key", expires=timedelta(seconds=-1)),
        revoked=revoke_keys,
        challenge="Api-Key",
    ),
    Method(
        name="api-key-authorization",
        make=lambda: APIKey(AccountKey, header="Authorization"),
        grant=key("Authorization", "Api-Key "),
        wrong={"Authorization": "Api-Key 0123456789abcdef.guessed"},
        malformed={"Authorization": "Api-Key"},
        tampered=changed("Authorization"),
        expired=key("Authorization", "Api-Key ", expires=timedelta(seconds=-1)),
        revoked=revoke_keys,
        challenge="Api-Key",
    ),
    Method(
        name="oauth2-jwt",
        make=lambda: OAuth2(JsonWebToken(SECRET), flows=FLOWS),
        grant=issued_elsewhere,
        wrong=bearer(foreign(sub="1")),
        malformed={"Authorization": "Bearer a b"},
        tampered=changed("Authorization"),
        expired=expired_elsewhere,
        challenge="Bearer",
        error="invalid_token",
        malformed_error="invalid_request",
    ),
    Method(
        name="oauth2-introspection",
        make=lambda: OAuth2(introspect, flows=FLOWS),
        grant=activate,
        wrong=bearer("guessed"),
        malformed={"Authorization": "Bearer  ="},
        tampered=changed("Authorization", -3),
        revoked=lambda _world, _creds: ACTIVE.clear(),
        challenge="Bearer",
        error="invalid_token",
        malformed_error="invalid_request",
    ),
    Method(
        name="signature",
        make=lambda: Signature(signing_key),
        grant=signed(),
        wrong=sign(b"x" * 32, "key-1", method="GET", host="localhost", path="/"),
        malformed={"Signature-Input": "sig=(", "Signature": "sig=:"},
        tampered=changed("Signature"),
        expired=signed(1_000_000_000),
        revoked=withdraw_signing,
        challenge="Signature",
    ),
    bad_badge("own", Badge),
    bad_badge("own-async", AsyncBadge, is_async=True),
)
