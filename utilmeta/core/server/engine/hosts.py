"""Which host names a service answers for."""

from collections.abc import Sequence

from django.http.request import split_domain_port, validate_host

from utilmeta.core.request import Request
from utilmeta.utils.exceptions import BadRequest

# Host headers that have been found good and are known by sight.
_REMEMBERED = 256


class Hosts:
    """The host names a service answers for, by Django's rules.

    Args:
        allowed: as in `ALLOWED_HOSTS`: names, `.example.com` with all below it, or `*`.

    Source: django.http.request.HttpRequest.get_host.
    """

    def __init__(self, allowed: Sequence[str] = ("*",)) -> None:
        self._allowed = list(allowed)
        self._any = "*" in self._allowed
        self._known: set[str] = set()

    def check(self, request: Request) -> None:
        """Refuse a request for another host.

        Raises:
            BadRequest: the host is malformed, or none of those allowed.
        """
        if self._any:
            return
        raw = request.raw
        named = raw.header("host")
        # Whatever the peer may say, it says nothing else.
        if named in self._known and raw.header("x-forwarded-host") is None:
            return
        host = request.host
        domain, _ = split_domain_port(host)
        if not domain or not validate_host(domain, self._allowed):
            raise BadRequest(
                f"Host {host[:100]!r} is not served here; add it to DjangoSettings("
                "allowed_hosts=...) or ALLOWED_HOSTS"
            )
        if named is not None and len(self._known) < _REMEMBERED and not request.is_from_proxy:
            self._known.add(named)
