"""The cases of the contract: a request, and what every backend answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = {"Content-Type": "application/json"}
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Case:
    """A request and the answer to it.

    `json`, when given, is compared with the parsed body; `text` with the raw one. `has` are headers
    that must be there with these values, `lacks` those that must not be there.
    """

    name: str
    method: str = "GET"
    path: str = "/api/hello"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    json: Any = ...
    text: bytes | None = None
    has: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    # Whether a server or framework has a say, so that answers are not compared byte for byte:
    # outside the service's route; for an empty stream wsgiref announces no length but 0, and
    # where no media type is sent it says text/plain.
    native: bool = False


def post(name: str, path: str, data: Any, **expected: Any) -> Case:
    """Return a case that sends JSON."""
    method = expected.pop("method", "POST")
    return Case(
        name, method, path, JSON, body=json.dumps(data, ensure_ascii=False).encode(), **expected
    )


def problem(status: int, title: str, detail: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the members of a problem-details answer."""
    members: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail is not None:
        members["detail"] = detail
    return {**members, **more}


INVALID = "The request is invalid"
NO_INTEGER = "Input should be a valid integer, unable to parse string as an integer"
V, P, B, E, S = "/api/values", "/api/params", "/api/bodies", "/api/errors", "/api/streams"
LONG = "x" * 21

CASES = [
    Case("root", path="/api", text=b"root"),
    Case("root_slash", path="/api/", text=b"root"),
    Case(
        "hello",
        text=b"world",
        has={"content-type": "text/plain; charset=utf-8", "content-length": "5"},
    ),
    Case("trailing_slash", path="/api/hello/", text=b"world"),
    Case("double_slash", path="/api//hello", status=404),
    Case("head", "HEAD", text=b"", has={"content-length": "5"}),
    Case("head_of_json", "HEAD", f"{V}/empty-list", text=b"", has={"content-length": "2"}),
    Case("head_of_error", "HEAD", "/api/absent", status=404, text=b""),
    Case("options", "OPTIONS", status=204, text=b"", has={"allow": "GET, HEAD, OPTIONS"}),
    Case(
        "options_of_two",
        "OPTIONS",
        "/api/shops/3",
        status=204,
        has={"allow": "GET, HEAD, POST, OPTIONS"},
    ),
    Case(
        "wrong_method",
        "DELETE",
        status=405,
        has={"allow": "GET, HEAD, OPTIONS", "content-type": PROBLEM},
        json=problem(405, "Method Not Allowed"),
    ),
    Case("unknown_path", path="/api/absent", status=404, json=problem(404, "Not Found")),
    Case("missing_path_parameter", path=f"{P}/items", status=404),
    Case("prefix_is_whole_segment", path="/apihello", status=404, native=True),
    # results
    Case("text", path=f"{V}/text", text="héllo 世界".encode()),
    Case(
        "raw", path=f"{V}/raw", text=b"\x00\xff", has={"content-type": "application/octet-stream"}
    ),
    Case("nothing", path=f"{V}/nothing", status=204, text=b"", lacks=("content-type",)),
    Case("null", path=f"{V}/null", text=b"null", has={"content-type": "application/json"}),
    Case(
        "empty_list", path=f"{V}/empty-list", text=b"[]", has={"content-type": "application/json"}
    ),
    Case("empty_object", path=f"{V}/empty-object", text=b"{}"),
    Case("zero", path=f"{V}/zero", text=b"0"),
    Case("false", path=f"{V}/false", text=b"false"),
    Case(
        "json_forms",
        path=f"{V}/forms",
        text=(
            b'{"datetime":"2026-01-31T12:30:01.000005+08:00","utc":"2026-01-31T00:00:00Z",'
            b'"date":"2026-01-31","time":"12:30:00","duration":"PT5400S","decimal":"1.10",'
            b'"uuid":"00000000-0000-0000-0000-000000000005","enum":"red","bytes":"AAE=",'
            b'"tuple":[1,2],"set":[3],"dataclass":{"x":1,"y":2},"model":{"name":"a","email":null},'
            b'"nan":null,"float":1e16}'
        ),
    ),
    Case("custom_response", path=f"{V}/custom", status=202, json={"a": 1}, has={"x-one": "1"}),
    Case("teapot", path=f"{V}/teapot", status=418, text=b"short and stout"),
    Case(
        "not_modified",
        path=f"{V}/unmodified",
        status=304,
        text=b"",
        has={"etag": '"1"'},
        lacks=("content-type",),
    ),
    # parameters
    Case("path_and_query", path=f"{P}/items/3?page=2&q=a+b", json={"id": 3, "page": 2, "q": "a b"}),
    Case(
        "unicode_query",
        path=f"{P}/items/3?q=%E4%BD%A0%F0%9F%98%80",
        json={"id": 3, "page": 1, "q": "你😀"},
    ),
    Case("last_of_repeated", path=f"{P}/items/3?q=a&q=b", json={"id": 3, "page": 1, "q": "b"}),
    Case(
        "all_faults_at_once",
        path=f"{P}/items/x?page=0",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                {
                    "place": "path.id",
                    "code": "int_parsing",
                    "expected": NO_INTEGER,
                    "got": "x",
                },
                {
                    "place": "query.page",
                    "code": "greater_than_equal",
                    "expected": "Input should be greater than or equal to 1",
                    "got": "0",
                },
            ],
        ),
    ),
    Case(
        "secret_fault_is_masked",
        path=f"{P}/secret?password=hunter2",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                {
                    "place": "query.password",
                    "code": "int_parsing",
                    "expected": "a valid value",
                    "got": "***",
                }
            ],
        ),
    ),
    Case(
        "lists_repeated_and_comma",
        path=f"{P}/lists?tags=a,b&tags=c%2Cd&n=1,2&n=3",
        json={"tags": ["a", "b", "c,d"], "n": [1, 2, 3]},
    ),
    Case("lists_absent", path=f"{P}/lists", json={"tags": [], "n": []}),
    Case("whole_query", path=f"{P}/whole?limit=5&tags=a,b", json={"limit": 5, "tags": ["a", "b"]}),
    Case("whole_query_invalid", path=f"{P}/whole?limit=500", status=400),
    Case("optional_absent", path=f"{P}/optional", json={"a": None, "b": False}),
    Case("alias", path=f"{P}/optional?a=1&@b=yes", json={"a": 1, "b": True}),
    Case(
        "header_and_cookie",
        path=f"{P}/header",
        headers={"X-Token": "t", "Cookie": 'a=1; sid="s 1"; sid=2'},
        json={"token": "t", "sid": "s 1"},
    ),
    Case("header_missing", path=f"{P}/header", status=400),
    Case("rest_of_path", path=f"{P}/files/a/b%20c/d.txt", json={"path": "a/b c/d.txt"}),
    Case("trailing_parameter_left_out", path=f"{P}/segments/a", json=["a", "default"]),
    Case("trailing_parameter_given", path=f"{P}/segments/a/b", json=["a", "b"]),
    Case("unicode_path", path=f"{P}/segments/%E4%BD%A0/caf%C3%A9", json=["你", "café"]),
    Case("decoded_once", path=f"{P}/segments/%2541/b%2B+", json=["%41", "b++"]),
    Case("mixed_segment", path=f"{P}/mixed/a.b.json", json=["a", "b.json"]),
    Case("fixed_wins", path=f"{P}/fixed/exact", text=b"exact"),
    Case("variable_otherwise", path=f"{P}/fixed/other", text=b"variable other"),
    Case("line_break_in_path", path=f"{P}/segments/a%0Ab/x", json=["a\nb", "x"]),
    Case("nul_in_path", path=f"{P}/segments/a%00b/x", status=400),
    Case("nul_in_query", path=f"{P}/items/3?q=a%00", status=400),
    Case(
        "deep_json",
        "PATCH",
        f"{B}/anything",
        JSON,
        b'{"a":' + b"[" * 9999 + b"]" * 9999 + b"}",
        400,
    ),
    Case("body_on_get", path="/api/hello", body=b"abc", text=b"world"),
    Case(
        "latin_header",
        path=f"{P}/header",
        headers={"X-Token": "\xe9"},
        json={"token": "\xe9", "sid": "none"},
    ),
    Case("invalid_query_utf8", path=f"{P}/items/3?q=%FF", status=400),
    Case("class_parameter", path="/api/shops/3", json={"shop": 3}),
    Case("class_parameter_below", path="/api/shops/3/items/x", json={"shop": 3, "item": "x"}),
    Case("class_parameter_invalid", path="/api/shops/0", status=400),
    # bodies
    post(
        "model",
        f"{B}/model",
        {"title": "é😀", "tags": ["a"], "author": {"name": "n"}},
        json={
            "title": "é😀",
            "views": 0,
            "tags": ["a"],
            "author": {"name": "n", "email": None},
        },
    ),
    post(
        "model_invalid",
        f"{B}/model",
        {"title": LONG, "views": "x", "author": {"name": ""}},
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                {
                    "place": "body.title",
                    "code": "string_too_long",
                    "expected": "String should have at most 20 characters",
                    "got": LONG,
                },
                {
                    "place": "body.views",
                    "code": "int_parsing",
                    "expected": NO_INTEGER,
                    "got": "x",
                },
                {
                    "place": "body.author.name",
                    "code": "string_too_short",
                    "expected": "String should have at least 1 character",
                    "got": "",
                },
            ],
        ),
    ),
    Case("not_json", "POST", f"{B}/model", JSON, b"{nope", 400),
    Case("empty_body", "POST", f"{B}/model", JSON, b"", 400),
    Case("invalid_utf8", "POST", f"{B}/model", JSON, b'{"title": "\xff"}', 400),
    Case("wrong_type", "POST", f"{B}/model", {"Content-Type": "text/plain"}, b"{}", 415),
    Case("no_type", "POST", f"{B}/model", {}, b"{}", 415, native=True),
    Case(
        "type_case_and_parameters",
        "PATCH",
        f"{B}/anything",
        {"Content-Type": "Application/JSON; charset=UTF-8"},
        b'{"a": [1]}',
        json={"a": [1]},
    ),
    Case(
        "json_suffix",
        "PATCH",
        f"{B}/anything",
        {"Content-Type": "application/vnd.x+json"},
        b"{}",
        json={},
    ),
    post(
        "members",
        f"{B}/members/7",
        {"title": "t"},
        method="PUT",
        json={"id": 7, "title": "t", "n": 1},
    ),
    post("faults_of_all_places", f"{B}/members/x", {"n": "x"}, method="PUT", status=400),
    Case(
        "text_body",
        "POST",
        f"{B}/text",
        {"Content-Type": "text/plain"},
        "abç".encode(),
        text="çba".encode(),
    ),
    Case("raw_body", "POST", f"{B}/raw", {}, bytes(range(256)) * 100, json={"size": 25600}),
    Case("large_body", "POST", f"{B}/raw", {}, b"x" * 3_000_000, json={"size": 3_000_000}),
    Case("too_large", "POST", f"{B}/small", {}, b"x" * 11, status=413),
    Case("just_fits", "POST", f"{B}/small", {}, b"x" * 10, json={"size": 10}),
    post("status_of_endpoint", f"{B}/created", {"n": 1}, status=201, json={"n": 1}),
    post("status_of_endpoint_for_response", f"{B}/created_response", {}, status=201, json={"n": 1}),
    post(
        "status_of_endpoint_for_generic",
        f"{B}/created_generic",
        {},
        status=201,
        json={"made": {"n": 1}},
    ),
    post("status_of_response", f"{B}/accepted_response", {}, status=202, json={"n": 1}),
    Case("delete", "DELETE", f"{B}/gone", status=204, text=b""),
    post("nested_post", "/api/shops/2", {"name": "n"}, json={"shop": 2, "name": "n"}),
    # errors
    Case(
        "http_error",
        path=f"{E}/missing",
        status=404,
        json=problem(404, "Not Found", "no such thing", code="absent"),
    ),
    Case(
        "unauthorized",
        path=f"{E}/unauthorized",
        status=401,
        has={"www-authenticate": "Bearer"},
    ),
    Case(
        "redirect",
        path=f"{E}/redirect",
        status=303,
        text=b"",
        has={"location": "/elsewhere", "content-length": "0"},
    ),
    Case(
        "error_with_headers",
        path=f"{E}/conflict",
        status=409,
        has={"x-why": "name"},
        json=problem(409, "Conflict", "taken", errors=[{"field": "name"}]),
    ),
    Case("permission", path=f"{E}/permission", status=403),
    Case("timeout", path=f"{E}/timeout", status=504),
    Case("crash", path=f"{E}/crash", status=500, has={"content-type": PROBLEM}),
    Case("unencodable", path=f"{E}/unencodable", status=500),
    # streams
    Case("stream", path=f"{S}/numbers?n=5", text=b"0\n1\n2\n3\n4\n", lacks=("content-length",)),
    Case(
        "stream_that_fails_at_once",
        path=f"{S}/broken",
        status=500,
        has={"content-type": PROBLEM},
    ),
    Case("stream_head", "HEAD", f"{S}/numbers", text=b""),
    Case("stream_empty", path=f"{S}/silent", text=b"", native=True),
    # what is seen
    Case(
        "query_seen",
        path="/api/seen/query?a=1&b=&a=2&c",
        json={"a": ["1", "2"], "b": [""], "c": [""]},
    ),
    Case(
        "cookies_seen",
        path="/api/seen/cookies",
        headers={"Cookie": "a=1; bad; b=2"},
        json={"a": "1", "b": "2"},
    ),
    Case(
        "forwarded_is_not_believed",
        path="/api/seen/ip",
        headers={
            "Host": "example.com:81",
            "X-Forwarded-For": "6.6.6.6",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "evil.example",
        },
        json={"ip": "127.0.0.1", "scheme": "http", "host": "example.com:81"},
    ),
    Case(
        "url_seen",
        path="/api/seen/url?a=1",
        headers={"Host": "example.com"},
        json={"path": "/seen/url", "url": "http://example.com/api/seen/url?a=1", "method": "GET"},
    ),
]

# Where the server tells the path as it was sent: not on wsgiref, which `runserver` is built on.
RAW_PATH_CASES = [
    Case("encoded_slash", path=f"{P}/segments/a%2Fb/c%2fd", json=["a/b", "c/d"]),
    Case("encoded_slash_in_rest", path=f"{P}/files/a%2Fb/c", json={"path": "a/b/c"}),
]

ASYNC_CASES = [
    Case("async_hello", path="/api/asynchronous/hello", text=b"async world"),
    Case("async_stream", path="/api/asynchronous/numbers?n=2", text=b"0\n1\n"),
    Case("async_crash", path="/api/asynchronous/crash", status=500),
    Case("async_echo", "POST", "/api/asynchronous/echo", {}, b"abc" * 50_000, text=b"abc" * 50_000),
    post(
        "async_status_for_response",
        "/api/asynchronous/created_response",
        {},
        status=201,
        json={"n": 1},
    ),
    post(
        "async_status_for_generic",
        "/api/asynchronous/created_generic",
        {},
        status=201,
        json={"made": {"n": 1}},
    ),
    post(
        "async_model",
        "/api/asynchronous/model",
        {"title": "t", "author": {"name": "n"}},
        json={"title": "t", "views": 0, "tags": [], "author": {"name": "n", "email": None}},
    ),
]

SYNC_CASES = [
    Case("sync_echo", "POST", "/api/sync/echo", {}, b"abc" * 50_000, text=b"abc" * 50_000),
]
