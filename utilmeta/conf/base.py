"""The base of every configuration class, and what it may know of the service."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

from utilmeta.utils.fields import check_fields
from utilmeta.utils.masking import mask


class ServiceInfo(Protocol):
    """What a configuration may know of the service it was given to."""

    @property
    def name(self) -> str:
        """Name of the service: letters, digits, `_` and `-`."""

    @property
    def module_name(self) -> str:
        """Import name of the module that made the service."""

    @property
    def production(self) -> bool:
        """Whether the service runs in production."""

    @property
    def asynchronous(self) -> bool:
        """Whether the service answers on an event loop."""

    @property
    def project_dir(self) -> Path:
        """Folder of the file that made the service."""


class Config:
    """Base of what `service.use` takes; one instance per class and service.

    A subclass is a frozen dataclass: its fields are checked against their annotations when it is
    made. It says what it means to Django in `django_settings` and joins the life of the service
    by overriding the other methods.

    Attributes:
        yielded: Django settings that it leaves to another configuration which makes them too.
    """

    yielded: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ConfigError: a field does not fit its annotation.
        """
        check_fields(self)

    def __repr__(self) -> str:
        """Return the class and its fields, secrets masked; subclasses name it in their body."""
        names = [item.name for item in dataclasses.fields(cast("Any", self)) if item.init]
        shown = ", ".join(f"{name}={mask(getattr(self, name), name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def django_settings(self) -> Mapping[str, object]:
        """Return the Django settings this configuration stands for, by upper-case name.

        A name that the user did not decide may be left out; each name given here must have a
        rule in `utilmeta.core.setup.merge.RULES` or be in `DjangoSettings(extra=...)`.
        """
        return {}

    def settings_for(self, service: ServiceInfo) -> Mapping[str, object]:
        """Return the Django settings for a service, where they depend on what it is."""
        return self.django_settings()

    def named_settings(self) -> frozenset[str]:
        """Return the settings the user decided, which win over an existing project's."""
        return frozenset()

    def setup(self, service: ServiceInfo) -> None:
        """Prepare what needs the service; called once by `service.setup()`."""

    def on_startup(self, service: ServiceInfo) -> None:
        """Prepare what each serving process needs, before its first answer."""

    def on_shutdown(self, service: ServiceInfo) -> None:
        """Give back what `on_startup` took, when the process ends."""
