"""What an endpoint sees of a request."""

import json
from datetime import UTC

import pytest

from tests.unit.plain import PlainRequest, make_request
from utilmeta.core.request.headers import Headers, QueryValues
from utilmeta.utils.exceptions import BadRequest, RequestEntityTooLarge


def test_query_has_the_last_value_and_all_of_them():
    request = make_request(PlainRequest(query="a=1&a=%2C&b="))
    assert request.query["a"] == ","
    assert request.query.getlist("a") == ["1", ","]
    assert request.query.getlist("none") == []
    assert dict(request.query) == {"a": ",", "b": ""}
    assert "none" not in request.query


@pytest.mark.parametrize("query", ["a=%FF", "%FF=1", "&".join(["a=1"] * 4)])
def test_query_that_cannot_be_read_is_400(query: str):
    with pytest.raises(BadRequest):
        _ = make_request(PlainRequest(query=query), max_fields=3).query


def test_headers_ignore_case_and_join_repeats():
    headers = Headers(
        [("accept", "a"), ("x-y", "1"), ("accept", "b"), ("cookie", "c=1"), ("cookie", "d=2")]
    )
    assert headers["ACCEPT"] == "a, b"
    assert headers["Cookie"] == "c=1; d=2"
    assert headers.getlist("Accept") == ["a", "b"]
    assert "X-Y" in headers
    assert 1 not in headers
    assert len(headers) == 3
    assert list(headers) == ["accept", "x-y", "cookie"]
    with pytest.raises(KeyError):
        _ = headers["none"]


def test_representations_show_no_header_values():
    headers = Headers([("authorization", "Bearer hunter2"), ("cookie", "sessionid=hunter2")])
    raw = PlainRequest(headers=headers.pairs(), query="token=hunter2")
    assert "hunter2" not in repr(headers)
    assert "hunter2" not in repr(make_request(raw))


def test_query_values_show_no_secrets():
    assert "hunter2" not in repr(QueryValues({"token": ["hunter2"]}))


def test_cookies_come_from_every_cookie_header():
    raw = PlainRequest(headers=[("cookie", "a=1; b=2"), ("cookie", "c=3; a=9")])
    assert make_request(raw).cookies == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("text/plain ;x=y", "text/plain"),
    ],
)
def test_content_type_is_lower_case_without_parameters(value: str, media_type: str):
    assert make_request(PlainRequest(headers=[("content-type", value)])).content_type == media_type
    assert make_request().content_type is None


@pytest.mark.parametrize(
    ("options", "host"),
    [
        ({"headers": [("host", "a.b:8000")]}, "a.b:8000"),
        ({"server": ("a.b", 80)}, "a.b"),
        ({"server": ("a.b", 8000)}, "a.b:8000"),
        ({"server": ("a.b", None)}, "a.b"),
        ({"server": None}, "localhost"),
        ({"server": ("a.b", 443), "scheme": "https"}, "a.b"),
        ({"server": ("a.b", 443)}, "a.b:443"),
        ({"server": ("a.b", 80), "scheme": "https"}, "a.b:80"),
        ({"server": ("::1", 8000)}, "[::1]:8000"),
    ],
)
def test_host_has_the_port_when_it_is_not_the_schemes_own(options: dict, host: str):
    assert make_request(PlainRequest(**options)).host == host


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"path": "/a b/é", "query": "x=%20"}, "http://testserver/a%20b/%C3%A9?x=%20"),
        ({"path": "", "prefix": "/api"}, "http://testserver/api"),
        ({"path": ""}, "http://testserver/"),
        (
            {"path": "/a", "prefix": "/api", "scheme": "https", "server": ("h", 443)},
            "https://h/api/a",
        ),
        ({"path": "/a/b/c", "segments": ("a/b", "c")}, "http://testserver/a%2Fb/c"),
    ],
)
def test_url_is_encoded(options: dict, url: str):
    assert make_request(PlainRequest(**options)).url == url


def test_plain_parts():
    raw = PlainRequest(
        "PATCH", "", headers=[("authorization", "Bearer x"), ("content-length", "0")]
    )
    request = make_request(raw)
    assert (request.method, request.path, request.authorization) == ("PATCH", "/", "Bearer x")
    assert request.content_length == 0
    assert request.adaptor is raw
    assert request.time.tzinfo is UTC
    assert request.time is request.time


# -- bodies ---------------------------------------------------------------------------------------


def test_body_is_read_once_and_kept():
    raw = PlainRequest(body=b"abc")
    request = make_request(raw)
    assert request.read() == request.body == b"abc"
    assert list(request.stream()) == [b"abc"]
    assert raw.taken == 3


@pytest.mark.parametrize(("limit", "size"), [(None, 5), (3, 100)])
def test_body_keeps_to_the_limit(limit: int | None, size: int):
    request = make_request(PlainRequest(body=b"x" * 6), max_body_size=size)
    with pytest.raises(RequestEntityTooLarge):
        request.read(limit)


@pytest.mark.parametrize("value", [None, [], {"a": [1, "é"]}, 0, "text"])
def test_data_is_the_json_of_the_body(value: object):
    assert make_request(PlainRequest(body=json.dumps(value).encode())).data == value


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"{'a': 1}", pytest.param(b"[" * 200_000, id="deep")]
)
def test_data_that_is_no_json_is_400(body: bytes):
    with pytest.raises(BadRequest, match="JSON"):
        _ = make_request(PlainRequest(body=body)).data
