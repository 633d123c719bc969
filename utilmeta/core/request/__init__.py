"""Requests: what endpoints are given, and how their arguments are declared."""

from utilmeta.core.request.params import (
    Body,
    BodyParam,
    CookieParam,
    Cookies,
    FilePathParam,
    HeaderParam,
    Headers,
    Json,
    Path,
    PathParam,
    Query,
    QueryParam,
    SlugPathParam,
)
from utilmeta.core.request.raw import RawRequest
from utilmeta.core.request.request import Request, RequestRules

__all__ = [
    "Body",
    "BodyParam",
    "CookieParam",
    "Cookies",
    "FilePathParam",
    "HeaderParam",
    "Headers",
    "Json",
    "Path",
    "PathParam",
    "Query",
    "QueryParam",
    "RawRequest",
    "Request",
    "RequestRules",
    "SlugPathParam",
]
