"""Signed requests (RFC 9421): nothing secret is sent, and none can be sent twice."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from utilmeta.core.api.calling import Call
from utilmeta.core.api.rules import CompileRules
from utilmeta.core.auth.base import BaseAuthentication, Identity, InvalidCredentials
from utilmeta.core.auth.revocation import Revocations
from utilmeta.core.auth.user import UserConfig
from utilmeta.core.request import Request
from utilmeta.utils.exceptions import ConfigError

ALGORITHM = "hmac-sha256"
MIN_BYTES = 32

# What a signature has to cover, whatever else it does.
COVERED = ("@method", "@authority", "@path", "@query")

_INPUT = re.compile(r"([a-z*][a-z0-9_.*-]*)=\(([^()]*)\)((?:;[a-z]+=(?:\d{1,15}|\"[^\"\\]*\"))*)")
_PARAMETER = re.compile(r";([a-z]+)=(?:(\d+)|\"([^\"]*)\")")
_SIGNATURE = re.compile(r"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]{1,512}):")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]{44}):")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that a client signs with.

    Attributes:
        secret: at least 32 bytes that client and server share.
        user_id: the user whose requests it signs.
        scopes: what it allows at most; None for all that the user may do.
    """

    secret: str | bytes = field(repr=False)
    user_id: Any
    scopes: tuple[str, ...] | None = None

    @property
    def raw(self) -> bytes:
        """The secret's bytes."""
        return self.secret.encode() if isinstance(self.secret, str) else self.secret


class Signature(BaseAuthentication):
    """HTTP message signatures with a shared secret.

    A signature covers method, host, path and query, a body by its `Content-Digest`, and names its
    time and a nonce, which is taken once. `sign` makes the headers for clients in Python.

    Args:
        keys: from key ids to keys, or a function that returns the key of an id, None for none; it
            runs on the request's worker thread.
        window: seconds that a signature's time may be from the server's.
        nonce_cache: alias of the cache that keeps nonces; in production one that all processes
            share.

    Raises:
        ConfigError: a secret is too short, or the window is not positive.

    Source: RFC 9421, RFC 9530.
    """

    header = "Signature"
    challenge = "Signature"

    def __init__(
        self,
        keys: Mapping[str, SigningKey] | Callable[[str], SigningKey | None],
        *,
        window: int = 300,
        nonce_cache: str = "default",
    ) -> None:
        if window < 1:
            raise ConfigError(f"Signature(window={window!r}): expected seconds from 1")
        self._find: Callable[[str], SigningKey | None]
        if isinstance(keys, Mapping):
            for name, key in keys.items():
                if len(key.raw) < MIN_BYTES:
                    raise ConfigError(
                        f"Signature(keys={{{name!r}: ...}}): the secret has {len(key.raw)} bytes, "
                        f"expected at least {MIN_BYTES}"
                    )
            self._find = dict(keys).get
        else:
            self._find = keys
        self._window = window
        self._nonces = Revocations(nonce_cache)

    def sees(self, request: Request) -> bool:
        """Return whether a request is signed."""
        return request.raw.header("signature-input") is not None

    def reading(self, request: Request) -> Call | None:
        """Return the call that reads the body, which the signature covers."""
        return Call(request.read, blocking=False, twin=request.aread)

    def authenticate(self, request: Request, users: UserConfig) -> Identity | None:
        """Return whose key signed a request.

        Raises:
            InvalidCredentials: the signature is wrong, too old, covers too little, or came before.
        """
        signed = _read(request)
        key = self._find(signed.parameters.get("keyid", ""))
        if key is None or len(key.raw) < MIN_BYTES:
            raise InvalidCredentials("the signing key is not known")
        expected = hmac.digest(key.raw, signed.base(request), hashlib.sha256)
        if not hmac.compare_digest(expected, signed.signature):
            raise InvalidCredentials("the signature is wrong")
        created = int(signed.parameters["created"])
        if abs(time.time() - created) > self._window:
            raise InvalidCredentials("the signature is too old, or of the future")
        nonce = f"{signed.parameters['keyid']} {signed.parameters['nonce']}"
        if not self._nonces.spend(f"nonce {nonce}", created + 2 * self._window):
            raise InvalidCredentials("the nonce was used before")
        return Identity(user_id=key.user_id, scopes=key.scopes)

    def prepare(self, rules: CompileRules, users: UserConfig) -> None:
        """Check the cache for nonces."""
        self._nonces.check(rules)

    def scheme(self) -> dict[str, Any]:
        """Return its security scheme, as OpenAPI describes it."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "HTTP message signature (RFC 9421), hmac-sha256",
        }


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a request says of its signature.

    Attributes:
        components: what it covers, in order.
        parameters: of the signature, by name.
        rest: components and parameters, as they were written.
        signature: its bytes.
    """

    components: tuple[str, ...]
    parameters: Mapping[str, str]
    rest: str
    signature: bytes

    def base(self, request: Request) -> bytes:
        """Return the bytes that are signed (RFC 9421 section 2.5)."""
        lines = [f'"{name}": {_value(name, request)}' for name in self.components]
        lines.append(f'"@signature-params": {self.rest}')
        return "\n".join(lines).encode()


def _read(request: Request) -> _Signed:
    """Return what a request says of its signature.

    Raises:
        InvalidCredentials: it cannot be read, or covers too little.
    """
    told = _INPUT.fullmatch((request.raw.header("signature-input") or "").strip())
    given = _SIGNATURE.fullmatch((request.raw.header("signature") or "").strip())
    if told is None or given is None or told[1] != given[1]:
        raise InvalidCredentials("Signature-Input and Signature cannot be read")
    components = tuple(part.strip('"') for part in told[2].split())
    parameters = {name: number or text for name, number, text in _PARAMETER.findall(told[3])}
    needed = {*COVERED, *(["content-digest"] if request.read() else [])}
    missing = needed - set(components)
    if missing or len(set(components)) < len(components):
        raise InvalidCredentials(f"the signature does not cover {', '.join(sorted(missing))}")
    if parameters.get("alg", ALGORITHM) != ALGORITHM:
        raise InvalidCredentials("the signature is of another algorithm")
    if not parameters.get("created", "").isdigit() or not parameters.get("nonce"):
        raise InvalidCredentials("the signature has no time or no nonce")
    if "content-digest" in components:
        _check_digest(request)
    try:
        signature = base64.b64decode(given[2], validate=True)
    except binascii.Error as exc:
        raise InvalidCredentials("the signature cannot be read") from exc
    return _Signed(components, parameters, f"({told[2]}){told[3]}", signature)


def _check_digest(request: Request) -> None:
    given = _DIGEST.fullmatch((request.raw.header("content-digest") or "").strip())
    expected = base64.b64encode(hashlib.sha256(request.read()).digest()).decode()
    if given is None or not hmac.compare_digest(given[1], expected):
        raise InvalidCredentials("Content-Digest is not that of the body")


def _value(name: str, request: Request) -> str:
    """Return a component's value (RFC 9421 section 2)."""
    found = {
        "@method": request.method,
        "@authority": request.host.lower(),
        "@scheme": request.scheme,
        "@query": f"?{request.raw.query}",
        "@target-uri": request.url,
    }.get(name)
    if name == "@path":
        return request.url.partition("?")[0].removeprefix(request.origin) or "/"
    if found is not None:
        return found
    value = None if name.startswith("@") else request.raw.header(name)
    if value is None:
        raise InvalidCredentials(f"the signature covers {name!r}, which is not there")
    return value.strip()


def sign(
    secret: str | bytes,
    key_id: str,
    *,
    method: str,
    host: str,
    path: str,
    query: str = "",
    body: bytes = b"",
    created: int | None = None,
    nonce: str | None = None,
) -> dict[str, str]:
    """Return the headers that sign a request, for clients.

    Args:
        secret: the key's secret.
        key_id: the key's id.
        method: upper-case HTTP method.
        host: as in the `Host` header.
        path: percent-encoded.
        query: percent-encoded, without `?`.
        body: the body's bytes.
        created: seconds since 1970; None takes now.
        nonce: something that was not used before; None makes one.
    """
    headers: dict[str, str] = {}
    values = {
        "@method": method.upper(),
        "@authority": host.lower(),
        "@path": path or "/",
        "@query": f"?{query}",
    }
    if body:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        values["content-digest"] = headers["Content-Digest"] = f"sha-256=:{digest}:"
    covered = " ".join(f'"{name}"' for name in values)
    moment = int(time.time()) if created is None else created
    rest = (
        f'({covered});created={moment};nonce="{nonce or secrets.token_urlsafe(16)}"'
        f';keyid="{key_id}";alg="{ALGORITHM}"'
    )
    lines = [f'"{name}": {value}' for name, value in values.items()]
    lines.append(f'"@signature-params": {rest}')
    raw = secret.encode() if isinstance(secret, str) else secret
    made = base64.b64encode(hmac.digest(raw, "\n".join(lines).encode(), hashlib.sha256)).decode()
    return {**headers, "Signature-Input": f"sig={rest}", "Signature": f"sig=:{made}:"}
