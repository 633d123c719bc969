"""Responses: what endpoints return, and how it becomes bytes."""

from utilmeta.core.response.events import JSONLinesResponse, ServerSentEvent, SSEResponse
from utilmeta.core.response.raw import RawResponse
from utilmeta.core.response.response import Response

__all__ = ["JSONLinesResponse", "RawResponse", "Response", "SSEResponse", "ServerSentEvent"]
