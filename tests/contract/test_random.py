"""Random requests to all back ends, whose answers have to be equal byte for byte."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.api import RootAPI
from tests.contract.cases import Case
from tests.contract.test_contract import BACKENDS, SYNC, normal
from tests.servers import Answer
from utilmeta.core.server.inprocess import Sent, call_wsgi
from utilmeta.testing import override_service
from utilmeta.testing.client import Loop, caller_of

Call = Callable[[Sent], Answer]


class Both(RootAPI):
    """The contract's API, as sync and async services alike can run it."""


@pytest.fixture(scope="module")
def callers(django_db_blocker: Any) -> Iterator[dict[str, Call]]:
    """One caller for each back end, all of them at once in this process."""
    from django.test import override_settings

    found: dict[str, Call] = {}
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(
            override_settings(MIDDLEWARE=[], DEBUG=False, ALLOWED_HOSTS=["testserver"])
        )
        for backend in BACKENDS:
            name, _, mode = backend.partition("-")
            service = stack.enter_context(
                override_service(
                    backend=name,
                    name=f"random-{backend}",
                    title="random",
                    asynchronous=True if mode == "asgi" else None,
                    api=Both,
                    route="/api",
                )
            )
            call = _call(service, stack, is_sync=backend in SYNC)
            found[backend] = _within(call) if name == "django" else call
        yield found


def _within(call: Call) -> Call:
    """Return a caller of Django with the URLconf of its own service, not of the last one."""
    from django.conf import settings as known
    from django.test import override_settings

    urlconf = known.ROOT_URLCONF

    def inside(sent: Sent) -> Answer:
        with override_settings(ROOT_URLCONF=urlconf):
            return call(sent)

    return inside


def _call(service: Any, stack: ExitStack, *, is_sync: bool) -> Call:
    app = service.application()

    def answer(received: Any) -> Answer:
        return Answer(received.status, received.headers, received.body)

    if is_sync:
        return lambda sent: answer(call_wsgi(app, sent))
    caller = caller_of(service)
    assert caller is not None
    loop = Loop()
    stack.callback(loop.close)
    loop.run(caller.start())
    stack.callback(lambda: loop.run(caller.stop()))
    return lambda sent: answer(loop.run(caller.call(sent)))


# -- requests -------------------------------------------------------------------------------------

PATHS = [
    "", "hello", "values/forms", "values/custom", "params/items/3", "params/lists", "params/whole",
    "params/optional", "params/header", "params/files/a/b", "params/segments/a", "params/mixed/a.b",
    "bodies/model", "bodies/members/3", "bodies/anything", "bodies/text", "bodies/raw",
    "bodies/small", "errors/missing", "errors/redirect", "seen/url", "seen/query", "seen/cookies",
    "shops/3/items/x", "layer/forms/form", "layer/forms/fields", "layer/forms/upload",
    "layer/forms/beside", "layer/forms/either", "layer/forms/marked", "layer/forms/partial",
    "layer/queries/nested", "layer/queries/one", "layer/queries/two", "layer/queries/context",
    "layer/templates/plain", "layer/templates/invalid", "layer/templates/strict",
    "layer/files/path", "layer/files/received", "layer/hooks/closed", "layer/hooks/body",
    "layer/hooks/inner/fail", "layer/plugins/order", "layer/plugins/cached",
    "layer/plugins/versioned", "layer/shared/data", "layer/shared/public", "layer/records/events",
    "layer/python/calls", "layer/indexed/lists", "layer/indexed/exact", "layer/edges/first",
    "openapi.json",
]  # fmt: skip
NAMES = [
    "page", "q", "tags", "n", "limit", "a", "@b", "loud", "owner.name", "owner[age]", "sizes",
    "items[0].name", "items[1][age]", "extra[k]", "between.low", "point[x]", "name", "low",
    "title", "kind", "stop", "mend", "fail", "text", "page_size", "tags[0]", "refuse",
]  # fmt: skip
WORDS = [
    "",
    "1",
    "0",
    "-1",
    "x",
    "a,b",
    "1,2",
    "true",
    "{}",
    "[]",
    '{"name":"o"}',
    "é",
    "😀",
    "null",
]

plain = st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00")
words = st.sampled_from(WORDS) | st.text(plain, max_size=8)
# Printable ASCII that a request line may hold as it is, and percent-encoded bytes of all kinds.
segment = st.text("abcXYZ019-._~!$&'()*+,;=:@", max_size=6) | st.sampled_from(
    ["%20", "%C3%A9", "%2B", "%25", "%F0%9F%98%80", "%3F", "%23"]
)
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


@st.composite
def targets(draw: st.DrawFn) -> str:
    path = draw(
        st.sampled_from(PATHS)
        | st.sampled_from(PATHS).flatmap(lambda known: segment.map(lambda more: f"{known}/{more}"))
    )
    fields = draw(st.lists(st.tuples(st.sampled_from(NAMES), words), max_size=4))
    query = "&".join(f"{name}={quoted(value)}" for name, value in fields)
    return f"/api/{path}{'?' + query if query else ''}"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str | None, bytes]:
    kind = draw(st.sampled_from(["none", "json", "broken", "form", "multipart", "text", "bytes"]))
    values = st.dictionaries(
        st.sampled_from(["title", "n", "tags", "author", "name", "owner", "k"]),
        words
        | st.integers()
        | st.none()
        | st.lists(words, max_size=2)
        | st.fixed_dictionaries({"name": words}),
        max_size=4,
    )
    if kind == "none":
        return None, b""
    if kind == "json":
        return "application/json", json.dumps(draw(values), ensure_ascii=False).encode()
    if kind == "broken":
        return "application/json", draw(st.binary(max_size=20))
    if kind == "form":
        fields = draw(st.lists(st.tuples(st.sampled_from(NAMES), words), max_size=4))
        text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in fields)
        return "application/x-www-form-urlencoded", text.encode()
    if kind == "multipart":
        parts = draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["title", "file", "more", "owner", "note"]),
                    st.booleans(),
                    st.binary(max_size=20),
                ),
                max_size=4,
            )
        )
        body = b"".join(
            f'--XX\r\nContent-Disposition: form-data; name="{name}"'.encode()
            + (b'; filename="f.txt"\r\nContent-Type: text/plain' if is_file else b"")
            + b"\r\n\r\n"
            + data
            + b"\r\n"
            for name, is_file, data in parts
        )
        return "multipart/form-data; boundary=XX", body + b"--XX--\r\n"
    return "text/plain" if kind == "text" else "a/b", draw(st.binary(max_size=30))


@st.composite
def headers(draw: st.DrawFn) -> list[tuple[str, str]]:
    options = {
        "x-token": st.sampled_from(["good", "bad"]),
        "origin": st.sampled_from(["https://a.example.com", "https://x.b.example.com", "null"]),
        "range": st.sampled_from(["bytes=1-2", "bytes=-3", "bytes=20-", "bytes=0-0,2-3", "x"]),
        "if-none-match": st.sampled_from(["*", '"x"', 'W/"y", "z"', "x"]),
        "if-match": st.sampled_from(['"v1"', "*", '"x"']),
        "cookie": st.sampled_from(["sid=1", 'a="b c"; sid', "=;=", "sid=%41"]),
        "accept": st.just("text/html"),
        "x-forwarded-for": st.just("6.6.6.6"),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(options)), unique=True, max_size=3))
    return [(name, draw(options[name])) for name in chosen]


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    content_type, body = draw(bodies())
    pairs = [("host", "testserver"), *draw(headers())]
    method = draw(methods)
    if content_type is not None:
        pairs += [("content-type", content_type), ("content-length", str(len(body)))]
    return Sent(
        method=method, target=draw(targets()), headers=pairs, body=body, host=("testserver", 80)
    )


# What differs by nature: limits and marks of time.
TIMED = {"ratelimit", "retry-after"}


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=requests())
@example(sent=Sent(method="GET", target="/api", headers=[("host", "testserver")]))
def test_all_back_ends_answer_alike(callers: dict[str, Call], sent: Sent):
    answers = {backend: call(sent) for backend, call in callers.items()}
    known = {backend: without_time(answer) for backend, answer in answers.items()}
    first = known["django-wsgi"]
    for backend, answer in known.items():
        assert answer == first, (backend, sent)
    # Nothing a client sends may be the server's fault, unless the endpoint is made to fail.
    assert first[0] < 500 or "/fail" in sent.target or "strict" in sent.target, sent


def without_time(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    status, pairs, body = normal(answer)
    return status, [pair for pair in pairs if pair[0] not in TIMED], body


def test_requests_of_cases_can_be_sent_too(callers: dict[str, Call]):
    case = Case("hello", path="/api/hello")
    sent = Sent(method=case.method, target=case.path, headers=[("host", "testserver")])
    assert {call(sent).body for call in callers.values()} == {b"world"}
