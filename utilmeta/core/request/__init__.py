"""Requests: what endpoints are given, and how their arguments are declared."""

from utilmeta.core.request.context import RequestContextVar, var
from utilmeta.core.request.params import (
    Body,
    BodyParam,
    CookieParam,
    Cookies,
    FilePathParam,
    Form,
    FormParam,
    HeaderParam,
    Headers,
    Json,
    Path,
    PathParam,
    Query,
    QueryParam,
    SlugPathParam,
    Unset,
)
from utilmeta.core.request.raw import RawRequest
from utilmeta.core.request.request import Request, RequestRules

__all__ = [
    "Body",
    "BodyParam",
    "CookieParam",
    "Cookies",
    "FilePathParam",
    "Form",
    "FormParam",
    "HeaderParam",
    "Headers",
    "Json",
    "Path",
    "PathParam",
    "Query",
    "QueryParam",
    "RawRequest",
    "Request",
    "RequestContextVar",
    "RequestRules",
    "SlugPathParam",
    "Unset",
    "var",
]
