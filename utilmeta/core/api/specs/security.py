"""What endpoints ask of those who call them, in an OpenAPI document."""

from typing import Any

from utilmeta.core.api.operation import Operation
from utilmeta.core.api.plugins.base import Security

Requirement = dict[str, list[str]]


class SecurityBook:
    """The security schemes of a document.

    Attributes:
        schemes: by name, for the document's components.
    """

    def __init__(self) -> None:
        self.schemes: dict[str, Any] = {}

    def requirements(self, operation: Operation) -> list[Requirement]:
        """Return what an operation asks for, one of which has to be met; empty for nothing.

        Source: the OpenAPI Specification 3.1.1, section 4.8.32.
        """
        asked = asked_of(operation)
        scopes = list(dict.fromkeys(scope for item in asked for scope in item.scopes))
        needed = [item for item in asked if item.schemes and not item.optional]
        found: list[Requirement] = [{}]
        for item in _different(needed or [item for item in asked if item.schemes]):
            options = [self._name(name, scheme) for name, scheme in item.schemes.items()]
            found = [{**known, name: scopes} for known in found for name in options]
        if found == [{}]:
            return []
        return found if needed or scopes else [{}, *found]

    def _name(self, name: str, scheme: Any) -> str:
        """Return a scheme's name in the document, where two of one name are told apart."""
        unique, number = name, 2
        while self.schemes.setdefault(unique, scheme) != scheme:
            unique = f"{name}{number}"
            number += 1
        return unique


def asked_of(operation: Operation) -> list[Security]:
    """Return what the plugins around an operation ask for."""
    found = (plugin.security() for plugin in operation.plugins)
    return [item for item in found if item is not None]


def _different(items: list[Security]) -> list[Security]:
    """Return what differs in its schemes."""
    found: list[Security] = []
    for item in items:
        if all(item.schemes != known.schemes for known in found):
            found.append(item)
    return found
