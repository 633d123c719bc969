"""Limits and trust: how the service treats requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utilmeta.conf.base import Config
from utilmeta.utils.exceptions import ConfigError
from utilmeta.utils.fields import check_networks

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference(Config):
    """Limits and trust.

    Args:
        trusted_proxies: addresses or networks whose `X-Forwarded-*` headers are believed, such as
            `('10.0.0.0/8', '::1')`; the peer of a unix socket counts as declared.
        max_body_size: bytes a request body may have before 413; None means no limit.
        max_fields: query or form fields a request may have before 400.
        lanes: worker threads for sync endpoints and Django's ORM under an async service;
            None takes 24, or fewer where `Deployment` is given and databases allow no more.
        docs: whether `docs` below the service's route shows its OpenAPI document to people, and
            `openapi.json` and `openapi.yaml` hold it; None shows the pages in development only.
        explain_refusals: whether answers to what a permission refuses tell which rule it was; in
            development only. The log always does.
        external_docs: OpenAPI documents of what is mounted beside the API, by the route it answers
            below: a mapping, the path of a JSON file, or a function that returns a mapping.
    """

    trusted_proxies: Sequence[str] = ()
    max_body_size: int | None = 16 * MEGABYTE
    max_fields: int = 1000
    lanes: int | None = None
    docs: bool | None = None
    explain_refusals: bool = False
    external_docs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field has a wrong type, is not positive, or names no network.
        """
        Config.__post_init__(self)
        for name in ("max_body_size", "max_fields", "lanes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"Preference({name}={value}): expected a positive number")
        check_networks("Preference(trusted_proxies=...)", self.trusted_proxies)
