"""Cases of the API layer: forms, files, templates, hooks, plugins, streams."""

from typing import Any

from tests.contract.cases import INVALID, JSON, PROBLEM, Case, post, problem

L = "/api/layer"
F, Q, T, H, P = f"{L}/forms", f"{L}/queries", f"{L}/templates", f"{L}/hooks", f"{L}/plugins"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=XX"}
TEXT = "text/plain; charset=utf-8"


def form(name: str, path: str, body: str, **expected: Any) -> Case:
    """Return a case that sends a plain form."""
    method = expected.pop("method", "POST")
    return Case(name, method, path, URLENCODED, body.encode(), **expected)


def multipart(name: str, path: str, parts: list[tuple[str, bytes]], **expected: Any) -> Case:
    """Return a case that sends parts: the rest of their disposition line and headers, the body."""
    method = expected.pop("method", "POST")
    end = expected.pop("end", b"--XX--\r\n")
    body = b"".join(
        b"--XX\r\nContent-Disposition: form-data; name="
        + head.encode()
        + b"\r\n\r\n"
        + data
        + b"\r\n"
        for head, data in parts
    )
    return Case(name, method, path, MULTIPART, body + end, **expected)


def fault(place: str, code: str, expected: str, **got: Any) -> dict[str, Any]:
    """Return one fault of a validation answer."""
    return {"place": place, "code": code, "expected": expected, **got}


def envelope(status: int, **members: Any) -> dict[str, Any]:
    """Return what the template of the API makes."""
    return {"data": None, "msg": "", "state": None, "count": None, "errors": None, **members}


PNG = '"image"; filename="a.png"\r\nContent-Type: image/png'

FORM_CASES = [
    form(
        "form",
        f"{F}/form",
        "title=a+%C3%A9&n=3&tags=x&tags=y,z&owner.name=o&owner[age]=7",
        json={"title": "a é", "n": 3, "tags": ["x", "y,z"], "owner": {"name": "o", "age": 7}},
    ),
    form(
        "form_with_json_field",
        f"{F}/form",
        'title=a&owner={"name":"o"}',
        json={"title": "a", "n": 0, "tags": [], "owner": {"name": "o", "age": 0}},
    ),
    form(
        "form_invalid",
        f"{F}/form",
        "title=01234567890&n=x&owner.name=",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                fault(
                    "body.title",
                    "string_too_long",
                    "String should have at most 10 characters",
                    got="01234567890",
                ),
                fault(
                    "body.n",
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                    got="x",
                ),
                fault(
                    "body.owner.name",
                    "string_too_short",
                    "String should have at least 1 character",
                    got="",
                ),
            ],
        ),
    ),
    multipart(
        "form_as_parts",
        f"{F}/form",
        [('"title"', "ü".encode()), ('"tags"', b"a"), ('"tags"', b"b")],
        json={"title": "ü", "n": 0, "tags": ["a", "b"], "owner": None},
    ),
    Case("form_as_json", "POST", f"{F}/form", JSON, b'{"title":"a"}', status=415),
    Case("form_without_type", "POST", f"{F}/form", {}, b"title=a", status=415, native=True),
    form("form_bad_utf8", f"{F}/form", "title=%FF", status=400),
    form("form_nul", f"{F}/form", "title=%00", status=400),
    form("form_too_many_fields", f"{F}/form", "&".join(["title=a"] * 1001), status=400),
    form("form_too_deep", f"{F}/form", "title=a&owner" + "[a]" * 20 + "=1", status=400),
    form(
        "form_fields", f"{F}/fields", "title=a&count=2", method="PUT", json={"title": "a", "n": 2}
    ),
    form("form_field_default", f"{F}/fields", "title=a", method="PUT", json={"title": "a", "n": 1}),
    form("form_field_missing", f"{F}/fields", "count=2", method="PUT", status=400),
    multipart(
        "upload",
        f"{F}/upload",
        [
            ('"title"', b"t"),
            ('"file"; filename="../../etc/pass\\"wd"\r\nContent-Type: text/x', b"one\r\ntwo"),
            ('"more"; filename="b.bin"', b""),
            ('"more"; filename="c.bin"', bytes(range(256))),
        ],
        method="PATCH",
        json={
            "title": "t",
            "files": [
                {"name": "passwd", "type": "text/x", "size": 8, "text": "one\r\ntwo"},
                {"name": "b.bin", "type": "application/octet-stream", "size": 0, "text": ""},
                {
                    "name": "c.bin",
                    "type": "application/octet-stream",
                    "size": 256,
                    "text": bytes(range(256)).decode("latin-1"),
                },
            ],
        },
    ),
    multipart(
        "upload_without_file",
        f"{F}/upload",
        [('"title"', b"t"), ('"file"', b"text")],
        method="PATCH",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                fault("body.file", "file_type", "Input should be an uploaded file", got="text")
            ],
        ),
    ),
    multipart(
        "upload_cut", f"{F}/upload", [('"title"', b"t")], end=b"", method="PATCH", status=400
    ),
    Case(
        "upload_without_boundary",
        "PATCH",
        f"{F}/upload",
        {"Content-Type": "multipart/form-data"},
        b"x--",
        status=400,
    ),
    form("upload_as_plain_form", f"{F}/upload", "title=t", method="PATCH", status=415),
    multipart(
        "file_beside_json",
        f"{F}/beside",
        [
            ('"owner"\r\nContent-Type: application/json', b'{"name":"o","age":3}'),
            ('"file"; filename="a.txt"\r\nContent-Type: text/plain', b"abc"),
        ],
        json={
            "owner": {"name": "o", "age": 3},
            "file": {"name": "a.txt", "type": "text/plain", "size": 3, "text": "abc"},
            "note": None,
        },
    ),
    multipart(
        "file_beside_json_blob_and_fields",
        f"{F}/beside",
        [
            ('"owner"; filename="blob"\r\nContent-Type: application/json', b'{"name":"o"}'),
            ('"file"; filename="a.txt"\r\nContent-Type: text/plain', b"abc"),
            ('"note"', b"n"),
        ],
        json={
            "owner": {"name": "o", "age": 0},
            "file": {"name": "a.txt", "type": "text/plain", "size": 3, "text": "abc"},
            "note": "n",
        },
    ),
    multipart(
        "file_of_wrong_type_and_field_missing",
        f"{F}/beside",
        [('"file"; filename="a.png"\r\nContent-Type: image/png', b"abc")],
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                fault("body.owner", "missing", "Field required"),
                fault(
                    "body.file",
                    "file_content_type",
                    "Input should be a file of type text/*",
                    got="<File 'a.png' image/png 3 bytes>",
                ),
            ],
        ),
    ),
    multipart(
        "file_too_large",
        f"{F}/beside",
        [
            ('"owner"', b'{"name":"o"}'),
            ('"file"; filename="a.txt"\r\nContent-Type: text/plain', b"0123456789a"),
        ],
        status=400,
    ),
    multipart(
        "files",
        f"{F}/files",
        [('"files"; filename="a"', b"1"), ('"files"; filename="\u4f60.txt"', b"2")],
        json=["a", "\u4f60.txt"],
    ),
    Case(
        "image_as_body",
        "POST",
        f"{F}/image",
        {"Content-Type": "image/png"},
        b"\x89PNG",
        json={"name": None, "type": "image/png", "size": 4, "text": "\x89PNG"},
    ),
    Case(
        "image_of_other_type", "POST", f"{F}/image", {"Content-Type": "text/css"}, b"a", status=415
    ),
    Case(
        "large_file_as_body",
        "PUT",
        f"{F}/raw_file",
        {"Content-Type": "text/css"},
        b"a" * 3_000_000,
        json={"name": None, "type": "text/css", "size": 3_000_000, "text": "a" * 3_000_000},
    ),
    post(
        "either_json",
        f"{F}/either",
        {"name": "o"},
        json={"kind": "Owner", "body": "Owner(name='o', age=0)"},
    ),
    Case(
        "either_text",
        "POST",
        f"{F}/either",
        {"Content-Type": "text/plain"},
        b"t",
        json={"kind": "str", "body": "'t'"},
    ),
    Case(
        "either_other",
        "POST",
        f"{F}/either",
        {"Content-Type": "a/b"},
        b"t",
        json={"kind": "bytes", "body": "b't'"},
    ),
    post(
        "marked_json",
        f"{F}/marked",
        {"name": "o"},
        json={"kind": "Owner", "body": {"name": "o", "age": 0}},
    ),
    form("marked_form", f"{F}/marked", "x=1&y=2", json={"kind": "Point", "body": {"x": 1, "y": 2}}),
    Case(
        "marked_csv",
        "POST",
        f"{F}/marked",
        {"Content-Type": "TEXT/CSV"},
        b"a,b",
        json={"kind": "str", "body": "a,b"},
    ),
    Case("marked_other", "POST", f"{F}/marked", {"Content-Type": "text/plain"}, b"a", status=415),
    post("unset", f"{F}/partial", {}, method="PATCH", json={"title": "unset", "n": "unset"}),
    post(
        "null_is_not_unset",
        f"{F}/partial",
        {"title": None, "n": 1},
        method="PATCH",
        json={"title": None, "n": 1},
    ),
]

QUERY_CASES = [
    Case(
        "nested_query",
        path=f"{Q}/nested?owner.name=o&owner[age]=3&sizes=1,2&sizes=1&items[0].name=a&items[1][name]=b"
        "&extra[k]=1&extra.l=2",
        json={
            "owner": {"name": "o", "age": 3},
            "sizes": [1, 2, 1],
            "items": [{"name": "a", "age": 0}, {"name": "b", "age": 0}],
            "extra": {"k": 1, "l": 2},
        },
    ),
    Case(
        "nested_query_invalid",
        path=f"{Q}/nested?owner.name=&items[0].age=x&sizes=9",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                fault(
                    "query.owner.name",
                    "string_too_short",
                    "String should have at least 1 character",
                    got="",
                ),
                fault("query.sizes.0", "enum", "Input should be 1 or 2", got="9"),
                fault("query.items.0.name", "missing", "Field required"),
                fault(
                    "query.items.0.age",
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                    got="x",
                ),
            ],
        ),
    ),
    Case(
        "nested_query_as_json",
        path=f"{Q}/nested?owner=%7B%22name%22:%22o%22%7D",
        json={"owner": {"name": "o", "age": 0}, "sizes": [], "items": [], "extra": {}},
    ),
    Case(
        "nested_parameters",
        path=f"{Q}/one?between.low=1&point[x]=2",
        json={"between": {"low": 1}, "point": {"x": 2, "y": 0}},
    ),
    Case("nested_parameters_absent", path=f"{Q}/one", json={"between": {}, "point": None}),
    Case(
        "unclosed_bracket_is_a_name",
        path=f"{Q}/one?between[low=1",
        json={"between": {}, "point": None},
    ),
    Case(
        "two_wholes_and_a_part",
        path=f"{Q}/two?name=o&low=1&page=2",
        json={"a": {"name": "o", "age": 0}, "b": {"low": 1}, "page": 2},
    ),
    Case(
        "faults_of_two_wholes",
        path=f"{Q}/two?low=x",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[
                fault("query.name", "missing", "Field required"),
                fault(
                    "query.low",
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                    got="x",
                ),
            ],
        ),
    ),
    Case(
        "context_values",
        path=f"{Q}/context?ip=6.6.6.6&who=x",
        json={"ip": "127.0.0.1", "who": None, "mine": "GET"},
    ),
    Case(
        "headers_whole_and_part",
        path=f"{Q}/headers",
        headers={"X-One": "1", "x-two": "1, 2"},
        json={"headers": {"x_one": "1", "X-Two": [1, 2]}, "one": "1"},
    ),
]

TEMPLATE_CASES = [
    Case("template", path=f"{T}/plain", json=envelope(200, data=[1, 2])),
    Case("template_empty", path=f"{T}/empty", json=envelope(200, data=[])),
    Case("template_none", path=f"{T}/nothing", json=envelope(200)),
    Case(
        "template_text",
        path=f"{T}/text",
        json=envelope(200, data="world"),
        has={"content-type": "application/json"},
    ),
    Case("template_leaves_bytes", path=f"{T}/raw", text=b"raw"),
    Case(
        "template_full",
        path=f"{T}/full",
        has={"x-a": "1"},
        json=envelope(200, data=[1], msg="one", state=7, count=100),
    ),
    Case("template_leaves_finished", path=f"{T}/finished", status=202, json={"mine": 1}),
    Case(
        "template_error",
        path=f"{T}/missing",
        status=404,
        json=envelope(404, msg="no such row", state="row"),
        has={"content-type": "application/json"},
    ),
    Case("template_crash", path=f"{T}/crash", status=500, json=...),
    Case(
        "template_invalid",
        path=f"{T}/invalid?n=x",
        status=400,
        json=envelope(
            400,
            msg=INVALID,
            errors=[
                fault(
                    "query.n",
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                    got="x",
                )
            ],
        ),
    ),
    Case("template_inherited", path=f"{T}/inner/inherited", json=envelope(200, data=[1], count=1)),
    Case("template_of_endpoint", path=f"{T}/inner/own", json={"only": {"a": 1}}),
    Case("template_strict", path=f"{T}/strict", json={"numbers": [1, 2]}),
    Case("template_strict_refuses", path=f"{T}/strict?text=a", status=500),
    Case("template_status", path=f"{T}/made", status=201, json={"a": 1}),
    Case(
        "attachment",
        path=f"{T}/attached",
        text=b"a,b",
        has={
            "content-type": "text/csv",
            "content-disposition": 'attachment; filename="r?sum? \\"1\\".csv"; '
            "filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.csv",
        },
    ),
    Case("cookies", path=f"{T}/cookies", has={"set-cookie": "a=1; Path=/; HttpOnly; SameSite=Lax"}),
    Case("moved", path=f"{T}/moved", status=308, text=b"", has={"location": "/caf%C3%A9"}),
]

ASSET = b"0123456789\n"
FILE_CASES = [
    Case(
        "file",
        path=f"{L}/files/path",
        text=ASSET,
        has={
            "content-type": "text/plain; charset=utf-8",
            "accept-ranges": "bytes",
            "content-length": "11",
        },
    ),
    Case("file_head", "HEAD", f"{L}/files/path", text=b"", has={"content-length": "11"}),
    Case(
        "file_range",
        path=f"{L}/files/path",
        headers={"Range": "bytes=2-4"},
        status=206,
        text=b"234",
        has={"content-range": "bytes 2-4/11", "content-length": "3"},
    ),
    Case(
        "file_range_open",
        path=f"{L}/files/path",
        headers={"Range": "bytes=9-"},
        status=206,
        text=b"9\n",
    ),
    Case(
        "file_range_end",
        path=f"{L}/files/path",
        headers={"Range": "bytes=-3"},
        status=206,
        text=b"89\n",
    ),
    Case(
        "file_range_beyond",
        path=f"{L}/files/path",
        headers={"Range": "bytes=11-"},
        status=416,
        has={"content-range": "bytes */11", "content-type": PROBLEM},
    ),
    Case(
        "file_range_backwards", path=f"{L}/files/path", headers={"Range": "bytes=4-2"}, text=ASSET
    ),
    Case(
        "file_range_several", path=f"{L}/files/path", headers={"Range": "bytes=0-1,3-4"}, text=ASSET
    ),
    Case("file_range_nonsense", path=f"{L}/files/path", headers={"Range": "lines=1-2"}, text=ASSET),
    Case(
        "file_range_other_version",
        path=f"{L}/files/path",
        headers={"Range": "bytes=2-4", "If-Range": '"x"'},
        text=ASSET,
    ),
    Case(
        "file_not_modified",
        path=f"{L}/files/path",
        headers={"If-None-Match": "*"},
        status=304,
        text=b"",
        lacks=("content-type", "content-length"),
    ),
    Case("file_modified", path=f"{L}/files/path", headers={"If-None-Match": '"x"'}, text=ASSET),
    Case(
        "file_since",
        path=f"{L}/files/path",
        headers={"If-Modified-Since": "Fri, 31 Dec 2100 00:00:00 GMT"},
        status=304,
        text=b"",
    ),
    Case(
        "file_since_nonsense",
        path=f"{L}/files/path",
        headers={"If-Modified-Since": "then"},
        text=ASSET,
    ),
    Case(
        "file_opened",
        path=f"{L}/files/opened",
        text=ASSET,
        has={"content-disposition": "attachment"},
    ),
    Case("file_absent", path=f"{L}/files/absent", status=404),
    Case(
        "file_received",
        path=f"{L}/files/received",
        headers={"Range": "bytes=0-0"},
        status=206,
        text=b"0",
        has={"content-type": "text/plain"},
    ),
]

HOOK_CASES = [
    Case("hook_excluded", path=f"{H}/open", json={"user": None}),
    Case("hook_passes", path=f"{H}/closed", headers={"X-Token": "good"}, json={"user": "good"}),
    Case(
        "hook_refuses",
        path=f"{H}/closed",
        headers={"X-Token": "bad"},
        status=401,
        has={"www-authenticate": "Bearer"},
    ),
    Case(
        "hook_parameter_missing",
        path=f"{H}/closed",
        status=400,
        json=problem(
            400,
            "Bad Request",
            INVALID,
            errors=[fault("header.x-token", "missing", "Field required")],
        ),
    ),
    post("hook_takes_body_member", f"{H}/body", {"n": 1, "k": 2}, json={"n": 1, "k": 2}),
    post("hook_body_default", f"{H}/body", {"n": 1}, json={"n": 1, "k": 0}),
    Case("hook_answers", path=f"{H}/early", status=203, text=b"early"),
    Case("hook_replaces", path=f"{H}/replaced", json={"only": {"was": {"a": 1}}}),
    Case(
        "hooks_outer_to_inner",
        path=f"{H}/inner/trail",
        json=["outer", "inner"],
        has={"x-trail": "inner,outer"},
    ),
    Case(
        "handle_outer", path=f"{H}/inner/fail", status=418, json={"outer": "Broken", "status": 500}
    ),
    Case("handle_nearest", path=f"{H}/inner/fail?kind=worse", status=500, json={"inner": "Worse"}),
    Case("handle_none", path=f"{H}/inner/fail?kind=value", status=500),
    Case(
        "handle_raises",
        path=f"{H}/inner/fail?kind=key",
        status=409,
        json=problem(409, "Conflict", "from a hook"),
    ),
]

PLUGIN_CASES = [
    Case(
        "plugins_in_order",
        path=f"{P}/order",
        text=b"ordered",
        has={"x-plugins": "class in, first in, second in, second out, first out, class out"},
    ),
    Case(
        "plugin_stops",
        path=f"{P}/order?stop=first",
        status=203,
        text=b"stopped by first",
        has={"x-plugins": "class in, first in, first out, class out"},
    ),
    Case(
        "plugin_sees_error_answer",
        path=f"{P}/fails",
        status=500,
        has={"x-plugins": "class in, only in, only out, class out"},
    ),
    Case(
        "plugin_mends_error",
        path=f"{P}/fails?mend=class",
        status=500,
        json={"mended": "ValueError"},
    ),
    Case("retry_mends", path=f"{P}/retried?name=a&fails=2", json={"tries": 3}),
    Case("retry_gives_up", path=f"{P}/retried?name=b&fails=1000000", status=500),
    Case("too_slow", path=f"{P}/slow", status=504, json=problem(504, "Gateway Timeout")),
    Case("in_time", path=f"{P}/slow?seconds=0", text=b"done"),
    Case("body_limit", "POST", f"{P}/limited", {"Content-Type": "a/b"}, b"123456", status=413),
    Case("body_within_limit", "POST", f"{P}/limited", {"Content-Type": "a/b"}, b"12345", text=b"5"),
    Case(
        "cache",
        path=f"{P}/cached",
        json={"a": 1},
        has={"cache-control": "max-age=60", "vary": "Accept"},
    ),
    Case(
        "cache_star",
        path=f"{P}/cached",
        headers={"If-None-Match": "*"},
        status=304,
        text=b"",
        has={"cache-control": "max-age=60"},
        lacks=("content-type",),
    ),
    Case("cache_other", path=f"{P}/cached", headers={"If-None-Match": 'W/"x"'}, json={"a": 1}),
    Case(
        "cache_match_fails", path=f"{P}/cached", headers={"If-Match": '"x"'}, status=412, text=b""
    ),
    Case(
        "cache_since",
        path=f"{P}/dated",
        headers={"If-Modified-Since": "Sat, 31 Jan 2026 00:00:00 GMT"},
        status=304,
        text=b"",
        has={"cache-control": "private"},
    ),
    Case(
        "cache_before",
        path=f"{P}/dated",
        headers={"If-Modified-Since": "Fri, 30 Jan 2026 00:00:00 GMT"},
        text=b"dated",
    ),
    Case("match", "PUT", f"{P}/versioned", {"If-Match": '"v1"'}, text=b"written"),
    Case("match_fails", "PUT", f"{P}/versioned", {"If-Match": '"v0"'}, status=412),
    Case("match_weak_fails", "PUT", f"{P}/versioned", {"If-Match": 'W/"v1"'}, status=412),
    Case("create_only_fails", "PUT", f"{P}/versioned", {"If-None-Match": "*"}, status=412),
    Case(
        "rate_first",
        path=f"{P}/rated",
        headers={"X-Who": "a"},
        text=b"rated",
        has={"ratelimit-policy": '"0";q=2;w=86400'},
        native=True,
    ),
    Case("rate_second", path=f"{P}/rated", headers={"X-Who": "a"}, text=b"rated", native=True),
    Case("rate_third", path=f"{P}/rated", headers={"X-Who": "a"}, status=429, native=True),
    Case("rate_other", path=f"{P}/rated", headers={"X-Who": "b"}, text=b"rated", native=True),
    Case("rate_uncounted", path=f"{P}/rated", text=b"rated", lacks=("ratelimit",)),
    Case(
        "idempotency_key_too_long",
        "POST",
        f"{P}/once",
        {**JSON, "Idempotency-Key": "k" * 256},
        b'{"n":1}',
        status=400,
    ),
]

ORIGIN = "https://a.example.com"
CORS_CASES = [
    Case(
        "cors",
        path=f"{L}/shared/data",
        headers={"Origin": ORIGIN},
        json={"version": "1"},
        has={
            "access-control-allow-origin": ORIGIN,
            "access-control-allow-credentials": "true",
            "vary": "Origin",
        },
    ),
    Case(
        "cors_below",
        path=f"{L}/shared/data",
        headers={"Origin": "https://x.y.b.example.com"},
        has={"access-control-allow-origin": "https://x.y.b.example.com"},
    ),
    Case(
        "cors_other",
        path=f"{L}/shared/data",
        headers={"Origin": "https://a.example.com.evil"},
        has={"vary": "Origin"},
        lacks=("access-control-allow-origin",),
    ),
    Case(
        "cors_without_origin",
        path=f"{L}/shared/data",
        has={"vary": "Origin"},
        lacks=("access-control-allow-origin",),
    ),
    Case(
        "cors_error",
        path=f"{L}/shared/data/",
        headers={"Origin": ORIGIN, "X-Version": "2"},
        json={"version": "2"},
        has={"access-control-allow-origin": ORIGIN},
    ),
    Case(
        "preflight",
        "OPTIONS",
        f"{L}/shared/data",
        {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-version",
        },
        status=204,
        text=b"",
        has={
            "access-control-allow-origin": ORIGIN,
            "access-control-allow-methods": "GET, HEAD, OPTIONS",
            "access-control-allow-headers": "accept, accept-language, authorization, "
            "content-language, content-type, x-version",
            "access-control-max-age": "60",
            "allow": "GET, HEAD, OPTIONS",
        },
    ),
    Case(
        "preflight_other",
        "OPTIONS",
        f"{L}/shared/data",
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        status=204,
        lacks=("access-control-allow-origin", "access-control-allow-methods"),
    ),
    Case(
        "cors_inner_counts",
        "POST",
        f"{L}/shared/public",
        {"Origin": "https://any.example"},
        json={},
        has={"access-control-allow-origin": "*", "access-control-expose-headers": "X-Count"},
        lacks=("access-control-allow-credentials",),
    ),
    Case(
        "cors_wrong_method",
        "DELETE",
        f"{L}/shared/data",
        {"Origin": ORIGIN},
        status=405,
        lacks=("access-control-allow-origin",),
    ),
]

RECORD_CASES = [
    Case(
        "events",
        path=f"{L}/records/events",
        text=b'event: start\nid: 1\nretry: 500\ndata: one\ndata: two\n\ndata: {"n":1}\n\n',
        has={"content-type": "text/event-stream", "cache-control": "no-cache"},
    ),
    Case(
        "events_fail_half_way",
        path=f"{L}/records/events?fail=1",
        text=b'event: start\nid: 1\nretry: 500\ndata: one\ndata: two\n\ndata: {"n":1}\n\n'
        b'event: error\ndata: {"message":"half way"}\n\n',
    ),
    Case("events_made", path=f"{L}/records/made", text=b"data: 1\n\ndata: two\n\n"),
    Case("events_fail_early", path=f"{L}/records/early", status=409),
    Case(
        "lines",
        path=f"{L}/records/lines",
        text=b'{"n":1}\n["2026-01-31"]\n',
        has={"content-type": "application/jsonl"},
    ),
]

PYTHON_CASES = [
    Case(
        "called_from_python",
        path=f"{L}/python/calls",
        json=[
            {"thing": "2kg", "times": 1},
            {"thing": "3g", "times": 2},
            {"thing": "4kg", "times": 1},
            3,
            5,
            "late",
        ],
    ),
    Case(
        "parameters_in_init",
        path=f"{L}/python/things/7?unit=t&times=2",
        json={"thing": "7t", "times": 2},
    ),
    Case("nested_by_attribute", path=f"{L}/python/plain/one", json={"between": {}, "point": None}),
    Case("nested_by_reference", path=f"{L}/python/late", text=b"late"),
    Case(
        "shares_anothers_path",
        "DELETE",
        f"{L}/python/calls",
        text=b"forgotten",
    ),
    Case(
        "shares_anothers_path_options",
        "OPTIONS",
        f"{L}/python/calls",
        status=204,
        has={"allow": "GET, HEAD, DELETE, OPTIONS"},
    ),
]

EDGE_CASES = [
    Case("unknown_host", headers={"Host": "evil.example"}, status=400),
]

E = f"{L}/edges"
OPEN = {"Origin": "https://any.example"}
STAR = {"access-control-allow-origin": "*"}
EDGE_CASES += [
    Case(
        "stream_fails_first",
        path=f"{E}/first",
        headers=OPEN,
        status=409,
        has=STAR,
        json=envelope(409, msg="mended 409"),
    ),
    Case(
        "events_fail_first",
        path=f"{E}/first_event",
        headers=OPEN,
        status=409,
        has=STAR,
        json=envelope(409, msg="mended 409"),
    ),
    Case("made", path=f"{E}/refusing/x", json=envelope(200, data="made")),
    Case(
        "instance_cannot_be_made",
        path=f"{E}/refusing/x?refuse=1",
        headers=OPEN,
        status=403,
        has=STAR,
        json=envelope(403, msg="mended 403"),
    ),
    Case(
        "file_of_error_hook",
        path=f"{E}/absent",
        headers=OPEN,
        status=404,
        has=STAR,
        json=envelope(404, msg="Not Found"),
    ),
    Case("file_with_nul", path=f"{E}/strange_file?name=a%01b", status=404),
    Case("file_with_long_name", path=f"{E}/strange_file?name=" + "a" * 300, status=404),
    Case("file_that_is_a_folder", path=f"{E}/strange_file?name=.", status=404),
    Case("blocking_context_value", path=f"{E}/value", json=envelope(200, data="GET")),
    Case(
        "names_shared_by_hook",
        path=f"{E}/shared_names?tags=a,b&tags=c",
        json=envelope(200, data=[["c", ""], ["a", "b", "c"]]),
    ),
    Case(
        "retry_sends_file_again",
        "PUT",
        f"{E}/again",
        {"Content-Type": "a/b"},
        b"content",
        json=envelope(200, data={"text": "content", "tries": 2}),
    ),
    Case(
        "limit_inside_idempotency",
        "POST",
        f"{E}/limited",
        {**JSON, "Idempotency-Key": "edges"},
        b'{"n": 1234567890123456}',
        status=413,
        native=True,
    ),
    Case("numbers_are_no_chunks", path=f"{E}/numbers", status=500),
    Case("error_of_strict", path=f"{E}/strict", status=409, json=envelope(409, msg="mended 409")),
    Case(
        "cors_of_unknown_child",
        path=f"{E}/nothing",
        headers=OPEN,
        status=404,
        lacks=("access-control-allow-origin",),
    ),
    Case("indexed_list", path=f"{L}/indexed/lists?tags[1]=2&tags[0]=1", json=[1, 2]),
    Case("empty_brackets", path=f"{L}/indexed/lists?tags[]=1&tags[]=2", json=[1, 2]),
    Case("dotted_list", path=f"{L}/indexed/lists?tags.0=1", json=[1]),
    Case("odd_digit_is_no_index", path=f"{L}/indexed/lists?tags[%C2%B2]=1", json=[1]),
    Case("other_name_is_refused", path=f"{L}/indexed/exact?page_size=2&zzz=1", status=400),
    Case("by_name", path=f"{L}/indexed/exact?page_size=2", json={"pageSize": 2}),
    Case("by_alias", path=f"{L}/indexed/exact?pageSize=3", json={"pageSize": 3}),
    Case("open_lists", path=f"{L}/indexed/open?a=1&a=2&b=3", json={"a": [1, 2], "b": [3]}),
    Case("mixed_path", path=f"{L}/indexed/y2026-01.json", json=[2026, "01"]),
    Case("hostile_mixed_path", path=f"{L}/indexed/y" + "-" * 3000, status=404),
    Case(
        "odd_date_is_ignored",
        path=f"{L}/files/path",
        headers={"If-Modified-Since": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
        text=ASSET,
    ),
    Case(
        "hostile_value", "PUT", f"{F}/fields", URLENCODED, b"title=a&count=://" + b"?" * 60_000, 400
    ),
    multipart(
        "closing_boundary_cut",
        f"{F}/upload",
        [('"title"', b"t")],
        method="PATCH",
        status=400,
        end=b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello --',
    ),
    multipart(
        "epilogue",
        f"{F}/form",
        [('"title"', b"t")],
        end=b"--XX--\r\n" + b"e" * 500,
        json={"title": "t", "n": 0, "tags": [], "owner": None},
    ),
    Case(
        "line_feeds_only",
        "POST",
        f"{F}/form",
        MULTIPART,
        b'--XX\nContent-Disposition: form-data; name="title"\n\nt\n--XX--\n',
        400,
    ),
    Case(
        "multipart_header_in_capitals",
        "POST",
        f"{F}/form",
        {"Content-Type": 'Multipart/Form-Data; BOUNDARY=XX; foo="b;ar"'},
        b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nt\r\n--XX--\r\n',
        json={"title": "t", "n": 0, "tags": [], "owner": None},
    ),
]

K = f"{L}/known"
EDGE_CASES += [
    Case(
        "hook_sets_context_value",
        path=f"{K}/me",
        headers={"X-User": "ann"},
        json=envelope(200, data="ann"),
    ),
    Case("context_value_not_set", path=f"{K}/me", json=envelope(200)),
    Case(
        "events_fail_in_template",
        path=f"{K}/failing/events",
        status=409,
        json=envelope(409, msg="before the first event"),
    ),
    Case(
        "error_of_template_without_message",
        path=f"{K}/failing/own",
        status=409,
        json=envelope(409, msg="taken"),
    ),
    Case(
        "typed_stream",
        path=f"{K}/failing/typed",
        text=b'data: {"n":1}\n\n',
        has={"content-type": "text/event-stream"},
    ),
]

LAYER_CASES = [
    *FORM_CASES,
    *QUERY_CASES,
    *TEMPLATE_CASES,
    *FILE_CASES,
    *HOOK_CASES,
    *PLUGIN_CASES,
    *CORS_CASES,
    *RECORD_CASES,
    *PYTHON_CASES,
    *EDGE_CASES,
]
