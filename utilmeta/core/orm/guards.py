"""Fields that not every client may set."""

from typing import Any

from pydantic_core import core_schema

from utilmeta.core.request import Request
from utilmeta.core.request.current import current_request, in_code
from utilmeta.core.response.response import ANSWER
from utilmeta.utils.exceptions import PermissionDenied


def permits(rule: Any, request: Request) -> bool:
    """Return whether a rule, or a function of the request, lets a request."""
    allows = getattr(rule, "allows", rule)
    return bool(allows(request))


class WriteGuard:
    """A mark on fields that not every client may set.

    Args:
        rule: about the request.
        name: the field, for the message.
    """

    def __init__(self, rule: Any, name: str) -> None:
        self._rule = rule
        self._name = name

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Return a validator that refuses what the client may not set."""
        return core_schema.with_info_before_validator_function(self._check, handler(source))

    def _check(self, value: Any, told: Any) -> Any:
        request = current_request.get()
        if told.context is ANSWER or request is None or in_code.get():
            return value
        if not permits(self._rule, request):
            fault = {"place": self._name, "code": "forbidden", "expected": "not to be set by you"}
            raise PermissionDenied(f"{self._name} may not be set", errors=[fault])
        return value
