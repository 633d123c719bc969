"""What endpoints return, and how it becomes a finished response."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.api.errors import answer_error
from utilmeta.core.file import File
from utilmeta.core.request.query import parse_cookies
from utilmeta.core.response import RawResponse, Response
from utilmeta.core.response.encode import make_encoder
from utilmeta.core.response.finish import Finisher
from utilmeta.core.response.headers import check_header
from utilmeta.core.response.problem import problem_members
from utilmeta.utils import exceptions

encode = make_encoder()


def finish(result: object, encode: Any, **options: Any) -> RawResponse:
    return Finisher(encode=encode, **options)(result)


def done(result: object, **options: Any) -> tuple[int, dict[str, str], bytes]:
    raw = finish(result, encode, **options)
    body = raw.body if isinstance(raw.body, bytes) else b"".join(raw.body)  # type: ignore[arg-type]
    return raw.status, dict(raw.headers), body


@pytest.mark.parametrize(
    ("result", "content_type", "body"),
    [
        ("é", "text/plain; charset=utf-8", "é".encode()),
        ("", "text/plain; charset=utf-8", b""),
        (b"\xff", "application/octet-stream", b"\xff"),
        (bytearray(b"a"), "application/octet-stream", b"a"),
        (memoryview(b"a"), "application/octet-stream", b"a"),
        ([], "application/json", b"[]"),
        ({}, "application/json", b"{}"),
        (0, "application/json", b"0"),
        (False, "application/json", b"false"),
        ({"a": None}, "application/json", b'{"a":null}'),
    ],
)
def test_value_gets_its_content_type_and_length(result: object, content_type: str, body: bytes):
    status, headers, sent = done(result)
    assert (status, sent) == (200, body)
    assert headers == {"content-type": content_type, "content-length": str(len(body))}


def test_none_is_204_or_null():
    assert done(None) == (204, {}, b"")
    assert done(None, null_is_json=True)[::2] == (200, b"null")
    assert done(Response()) == (204, {}, b"")


def test_files_are_binary():
    assert done(File(b"abc", content_type="image/png"))[1:] == (
        {"content-type": "image/png", "accept-ranges": "bytes", "content-length": "3"},
        b"abc",
    )
    opened = io.BytesIO(b"abc")
    sized = {"accept-ranges": "bytes", "content-length": "3"}
    assert done(opened)[1:] == ({"content-type": "application/octet-stream", **sized}, b"abc")
    assert opened.closed


def test_generator_streams_text_and_bytes_and_is_closed():
    ended = []

    def chunks() -> Iterator[object]:
        try:
            yield "é"
            yield b"b"
            yield "never"
        finally:
            ended.append(True)

    raw = finish(chunks(), encode)
    assert raw.streaming
    assert isinstance(raw.body, Iterator)
    assert [next(raw.body), next(raw.body)] == ["é".encode(), b"b"]
    raw.close()
    assert ended == [True]


def test_response_overrides_status_headers_and_content_type():
    result = Response({"a": 1}, 201, {"X-A": "1"}, content_type="application/vnd.a+json")
    status, headers, body = done(result)
    assert (status, body) == (201, b'{"a":1}')
    assert headers["x-a"] == "1"
    assert headers["content-type"] == "application/vnd.a+json"
    assert headers["content-length"] == "7"


def test_response_class_attributes_are_defaults():
    class Created(Response):
        status = 201
        content_type = "text/csv"

    assert done(Created("a"))[0] == 201
    assert done(Created("a"))[1]["content-type"] == "text/csv"
    assert done(Created("a", 202))[0] == 202


@pytest.mark.parametrize("status", [204, 304])
def test_bodiless_status_has_neither_body_nor_length(status: int):
    result = Response("text", status, {"ETag": '"a"', "Content-Type": "text/plain"})
    raw = finish(result, encode)
    assert (raw.status, raw.body, raw.headers) == (status, b"", [("etag", '"a"')])


def test_file_of_a_bodiless_answer_is_closed():
    opened = io.BytesIO(b"abc")
    finish(Response(opened, 304), encode)
    assert opened.closed


def test_file_that_was_never_sent_is_closed():
    # As for HEAD, and for a client that goes away before the first byte.
    opened = io.BytesIO(b"abc")
    finish(opened, encode).close()
    assert opened.closed


@pytest.mark.parametrize("status", [200, 201, 400])
def test_response_without_result_has_length_zero(status: int):
    assert done(Response(None, status)) == (status, {"content-length": "0"}, b"")


# -- headers and cookies --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nSet-Cookie: b=1"),
        ("X-A", "a\nb"),
        ("X-A", "a\0b"),
        ("X-A", "a\x7f"),
        ("X-A", "中"),
        ("X\r\nA", "a"),
        ("X A", "a"),
        ("X:A", "a"),
        ("", "a"),
    ],
)
def test_header_that_could_break_out_is_refused(name: str, value: str):
    with pytest.raises(ValueError, match="header"):
        check_header(name, value)
    with pytest.raises(ValueError, match="header"):
        finish(Response("x", headers={name: value}), encode)


@given(st.text())
def test_checked_header_is_one_line_of_latin1(value: str):
    try:
        text = check_header("x-a", value)
    except ValueError:
        return
    assert text.encode("latin-1").splitlines() in ([], [text.encode("latin-1")])


def test_header_name_outside_ascii_is_refused():
    with pytest.raises(ValueError, match="header"):
        check_header("X-é", "a")


def cookie(*args: Any, **options: Any) -> str:
    response = Response("x")
    response.set_cookie(*args, **options)
    found: str = dict(finish(response, encode).headers)["set-cookie"]
    return found


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "a=1; Path=/; HttpOnly; SameSite=Lax"),
        ({"max_age": 60}, "a=1; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"),
        (
            {"domain": "a.b", "path": "/x", "secure": True, "http_only": False, "same_site": None},
            "a=1; Domain=a.b; Path=/x; Secure",
        ),
    ],
)
def test_cookie_line_has_its_attributes(options: dict[str, Any], line: str):
    assert cookie("a", "1", **options) == line


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "a;b", "a\r\n", "é"])
def test_cookie_name_that_is_none_is_refused(name: str):
    with pytest.raises(ValueError, match="set_cookie"):
        cookie(name, "1")


@pytest.mark.parametrize("option", ["path", "domain", "same_site"])
def test_cookie_attribute_that_could_break_out_is_refused(option: str):
    with pytest.raises(ValueError, match="set_cookie"):
        cookie("a", "1", **{option: "/; Secure"})


@given(st.text(st.characters(codec="utf-8")))
def test_cookie_value_cannot_break_out(value: str):
    line = cookie("a", value)
    assert line.count(";") == 3
    assert line.isascii()
    assert line.isprintable()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='";,\\%')))
def test_cookie_value_of_plain_characters_comes_back(value: str):
    assert parse_cookies(cookie("a", value).partition(";")[0]) == {"a": value}


def test_two_cookies_are_two_lines_and_delete_makes_the_browser_forget():
    response = Response("x")
    response.set_cookie("a", "1")
    response.delete_cookie("b", path="/x")
    lines = [value for name, value in finish(response, encode).headers if name == "set-cookie"]
    assert len(lines) == 2
    assert lines[1].startswith("b=; Max-Age=0; Path=/x")


# -- closing --------------------------------------------------------------------------------------


def test_close_runs_callbacks_once_in_order():
    calls: list[int] = []
    raw = RawResponse(200, [])
    raw.on_close += [lambda: calls.append(1), lambda: calls.append(2)]
    raw.close()
    raw.close()
    assert calls == [1, 2]


def test_close_runs_every_callback_even_when_one_fails():
    calls: list[int] = []

    def fail() -> None:
        raise RuntimeError

    raw = RawResponse(200, [])
    raw.on_close += [fail, lambda: calls.append(2)]
    with pytest.raises(RuntimeError):
        raw.close()
    assert calls == [2]


# -- errors ---------------------------------------------------------------------------------------


def test_problem_is_rfc_9457():
    error = exceptions.BadRequest("bad page", code="page", errors=[{"place": "query.page"}])
    raw = answer_error(error, None, debug=False)
    assert raw.body == (
        b'{"type":"about:blank","title":"Bad Request","status":400,"detail":"bad page",'
        b'"code":"page","errors":[{"place":"query.page"}]}'
    )
    assert dict(raw.headers) == {
        "content-type": "application/problem+json",
        "content-length": str(len(raw.body)),
    }


def test_problem_leaves_out_what_only_repeats():
    assert problem_members(404, "Not Found") == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
    }


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (exceptions.Unauthorized(), 401, ("www-authenticate", "Bearer")),
        (exceptions.MethodNotAllowed(allow=["GET"]), 405, ("allow", "GET")),
        (exceptions.Found("/there"), 302, ("location", "/there")),
        (exceptions.HttpError("x", status=418, headers={"X-A": "1"}), 418, ("x-a", "1")),
    ],
)
def test_http_error_is_its_answer(error: exceptions.HttpError, status: int, header: tuple):
    raw = answer_error(error, None, debug=False)
    assert raw.status == status
    assert header in raw.headers


class Unprintable(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionError("hunter2"), 403),
        (FileNotFoundError("hunter2"), 404),
        (NotImplementedError("hunter2"), 501),
        (TimeoutError("hunter2"), 504),
        (ValueError("hunter2"), 500),
        (KeyError("hunter2"), 500),
    ],
)
def test_exception_is_its_status_and_hides_its_text_unless_debugging(error: Exception, status: int):
    hidden = answer_error(error, None, debug=False)
    assert hidden.status == status
    assert b"hunter2" not in bytes(hidden.body)  # type: ignore[arg-type]
    assert b"hunter2" in bytes(answer_error(error, None, debug=True).body)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "records"),
    [(ValueError("x"), 1), (exceptions.ServiceUnavailable(), 1), (exceptions.NotFound(), 0)],
)
def test_servers_fault_is_logged_once(
    error: Exception, records: int, caplog: pytest.LogCaptureFixture
):
    answer_error(error, None, debug=False)
    assert len(caplog.records) == records
    assert all(record.exc_info and record.exc_info[1] is error for record in caplog.records)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.Found("/a\r\nSet-Cookie: b=1"),
        exceptions.Found("/中文"),
        exceptions.BadRequest("x", headers={"X-A": "a\nb"}),
        exceptions.BadRequest("\ud800"),
        exceptions.BadRequest("x", errors=[{"got": "\ud800"}]),
        Unprintable(),
    ],
    ids=["redirect-crlf", "redirect-utf8", "header", "detail", "errors", "unprintable"],
)
@pytest.mark.parametrize("debug", [False, True])
def test_error_that_cannot_be_sent_is_still_an_answer(error: Exception, debug: bool):
    raw = answer_error(error, None, debug=debug)
    assert raw.status in {302, 400, 500}
    assert not any("\n" in value for _, value in raw.headers)
