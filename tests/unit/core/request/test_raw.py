"""Bodies, lengths and paths, before anything is made of them."""

import asyncio
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plain import PlainRequest
from utilmeta.core.request.raw import drop_segments, locate_decoded, locate_encoded
from utilmeta.utils.exceptions import BadRequest, RequestEntityTooLarge


def length(value: str) -> list[tuple[str, str]]:
    return [("content-length", value)]


@given(st.lists(st.binary()))
def test_read_joins_chunks(chunks: list[bytes]):
    assert PlainRequest(body=chunks).read(None) == b"".join(chunks)


@pytest.mark.parametrize(("size", "limit"), [(10, 10), (0, 1), (5, None)])
def test_read_takes_bodies_up_to_the_limit(size: int, limit: int | None):
    body = b"x" * size
    assert PlainRequest(body=body, headers=length(str(size))).read(limit) == body


def test_read_refuses_an_announced_length_before_reading():
    raw = PlainRequest(body=b"x" * 11, headers=length("11"))
    with pytest.raises(RequestEntityTooLarge, match="10 bytes"):
        raw.read(10)
    assert raw.taken == 0


def test_read_stops_at_the_limit_of_a_body_of_unknown_length():
    raw = PlainRequest(body=(b"x" * 4 for _ in range(1_000_000)))
    with pytest.raises(RequestEntityTooLarge):
        raw.read(10)
    assert raw.taken == 12


def test_read_refuses_a_body_that_ends_early():
    with pytest.raises(BadRequest, match="3 of 10"):
        PlainRequest(body=b"abc", headers=length("10")).read(None)


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "1, 1", "+1", "٣", "0x10", "1_0"])
def test_content_length_must_be_a_number(value: str):
    with pytest.raises(BadRequest, match="Content-Length"):
        PlainRequest(headers=length(value)).content_length()


@pytest.mark.parametrize("limit", [None, 10])
def test_content_length_of_thousands_of_digits_is_the_clients_fault(limit: int | None):
    with pytest.raises((BadRequest, RequestEntityTooLarge)):
        PlainRequest(headers=length("9" * 5000)).read(limit)


@pytest.mark.parametrize(("headers", "value"), [([], None), (length(""), None), (length("0"), 0)])
def test_content_length_is_none_when_not_announced(headers: list, value: int | None):
    assert PlainRequest(headers=headers).content_length() == value


def test_header_joins_repeats_and_tells_absent():
    raw = PlainRequest(headers=[("accept", "a"), ("x", "y"), ("accept", "b")])
    assert raw.header("accept") == "a, b"
    assert raw.header("cookie") is None


def test_sync_request_cannot_be_read_asynchronously():
    with pytest.raises(TypeError, match="sync server"):
        asyncio.run(PlainRequest().aread(None))


# -- paths ----------------------------------------------------------------------------------------

segment = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize(
    ("path", "depth", "rest"),
    [
        ("/api/v1/a", 2, "/a"),
        ("/api/v1", 2, ""),
        ("/api/v1/", 2, "/"),
        ("/a/b", 0, "/a/b"),
        ("/a", 3, ""),
    ],
)
def test_drop_segments_leaves_what_follows(path: str, depth: int, rest: str):
    assert drop_segments(path, depth) == rest


@given(st.lists(segment, min_size=1), st.lists(st.sampled_from(["api", "v1"])))
def test_locate_encoded_decodes_each_segment_once(parts: list[str], prefix: list[str]):
    target = "/" + "/".join([*prefix, *(quote(part, safe="") for part in parts)])
    located = locate_encoded(target.encode(), len(prefix))
    assert located.fault is None
    assert located.path == "".join("/" + part for part in parts)
    found = located.segments if located.segments is not None else located.path.split("/")[1:]
    assert list(found) == parts


@pytest.mark.parametrize(
    ("target", "path", "segments"),
    [
        (b"/a%2Fb/c", "/a/b/c", ("a/b", "c")),
        (b"/a%2fb", "/a/b", ("a/b",)),
        (b"/a%252Fb", "/a%2Fb", None),
        (b"/a+b", "/a+b", None),
        (b"/a?b=%2F", "/a", None),
        (b"http://host:80/a?x", "/a", None),
        (b"http://host", "/", None),
        (b"/", "/", None),
        (b"/caf%C3%A9", "/café", None),
        ("/café".encode(), "/café", None),
    ],
)
def test_locate_encoded_reads_targets(target: bytes, path: str, segments: tuple[str, ...] | None):
    assert locate_encoded(target, 0) == (path, segments, None)


@pytest.mark.parametrize("target", [b"/%FF", b"/a/%C3", b"/\xff", b"/%FF%2F"])
def test_locate_encoded_refuses_what_is_not_utf8(target: bytes):
    assert locate_encoded(target, 0).fault == "The path is not UTF-8"


@pytest.mark.parametrize("target", [b"/a%00b", b"/%00%2F"])
def test_locate_encoded_refuses_nul(target: bytes):
    assert locate_encoded(target, 0).fault == "The path holds a NUL character"


def test_locate_decoded_keeps_or_refuses():
    assert locate_decoded("/api/é".encode(), 1) == ("/é", None, None)
    assert locate_decoded(b"/api/\xff", 1).fault == "The path is not UTF-8"
