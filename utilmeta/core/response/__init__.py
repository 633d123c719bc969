"""Responses: what endpoints return, and how it becomes bytes."""

from utilmeta.core.response.raw import RawResponse
from utilmeta.core.response.response import Response

__all__ = ["RawResponse", "Response"]
