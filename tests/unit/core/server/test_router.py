"""Which operation answers a path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.api.operation import Operation
from utilmeta.core.api.template import Template, parse_template
from utilmeta.core.response.finish import Finisher
from utilmeta.core.server.engine.router import Router
from utilmeta.utils.exceptions import MethodNotAllowed, NotFound


def operation(text: str, method: str = "GET", rest: tuple[str, ...] = ("rest",)) -> Operation:
    return Operation(
        where=text,
        method=method,
        template=parse_template(text, where=text, rest=frozenset(rest)),
        function=lambda: None,
        levels=(),
        is_async=False,
        params=None,
        body=None,
        finisher=Finisher(),
    )


def router(*texts: str) -> Router:
    return Router([operation(text) for text in texts])


def found(routes: Router, path: str, segments: tuple[str, ...] | None = None) -> Any:
    target, values = routes.resolve(path, segments)
    return target.find("GET").where, list(values)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("", ("", [])),
        ("/", ("", [])),
        ("/a", ("a", [])),
        ("/a/", ("a", [])),
        ("/a/b", ("a/b", [])),
        ("/a/7", ("a/{id}", ["7"])),
        ("/a/7/", ("a/{id}", ["7"])),
        ("/a/new", ("a/new", [])),
        ("/a/new/edit", ("a/{id}/edit", ["new"])),
        ("/v1.2", ("v{x}.{y}", ["1", "2"])),
        ("/v1", ("{any}", ["v1"])),
        ("/other", ("{any}", ["other"])),
        ("/files/x", ("files/{rest}", ["x"])),
        ("/files/x/y/z", ("files/{rest}", ["x/y/z"])),
        ("/files/x//z", ("files/{rest}", ["x//z"])),
        ("/files/fixed", ("files/fixed", [])),
        ("/files", ("{any}", ["files"])),
    ],
)
def test_fixed_wins_over_mixed_over_variable_over_rest(path: str, answer: Any):
    texts = [
        "{any}",
        "files/{rest}",
        "a/{id}",
        "a/{id}/edit",
        "v{x}.{y}",
        "",
        "a",
        "a/b",
        "a/new",
        "files/fixed",
    ]
    assert found(router(*texts), path) == answer
    assert found(router(*reversed(texts)), path) == answer


@pytest.mark.parametrize("path", ["/x/y", "/a//", "/a/7/edit/more", "//a", "/a//b", "/A", "/a/7//"])
def test_unknown_path_is_not_found(path: str):
    with pytest.raises(NotFound):
        router("a", "a/b", "a/{id}", "a/{id}/edit").resolve(path, None)


def test_empty_segment_is_no_value():
    with pytest.raises(NotFound):
        router("a/{id}/b").resolve("/a//b", None)


def test_encoded_slash_stays_inside_its_segment():
    routes = router("a/{id}", "a/{id}/{x}", "files/{rest}", "a/b")
    assert found(routes, "/a/x/y", ("a", "x/y")) == ("a/{id}", ["x/y"])
    assert found(routes, "/a/x/y/z", ("a", "x/y", "z")) == ("a/{id}/{x}", ["x/y", "z"])
    assert found(routes, "/a/x/y/", ("a", "x/y", "")) == ("a/{id}", ["x/y"])
    with pytest.raises(NotFound):
        routes.resolve("/a/b", ("a/b",))


def test_methods_of_one_path_share_a_target():
    routes = Router(
        [operation("a/{id}"), operation("a/{name}", "DELETE"), operation("a/{x}", "PUT")]
    )
    target, values = routes.resolve("/a/7", None)
    assert list(values) == ["7"]
    assert target.allow() == ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]
    assert target.find("HEAD") is target.find("GET")
    assert target.find("DELETE").template.names == ("name",)
    assert len(routes.targets) == 1


@pytest.mark.parametrize("method", ["POST", "TRACE", "get", ""])
def test_other_method_is_405_with_allow(method: str):
    target, _ = router("a").resolve("/a", None)
    with pytest.raises(MethodNotAllowed) as caught:
        target.find(method)
    assert caught.value.headers == {"Allow": "GET, HEAD, OPTIONS"}


def test_path_of_thousands_of_segments_is_not_found():
    with pytest.raises(NotFound):
        router("a/{id}", "{a}/{b}/{c}").resolve("/a" * 50_000, None)


# -- against a matcher that tries every template --------------------------------------------------

RANK = {"fixed": 0, "mixed": 1, "variable": 2, "rest": 3}


def match(template: Template, parts: list[str]) -> list[str] | None:
    values: list[str] = []
    for index, segment in enumerate(template.segments):
        if segment.kind == "rest":
            left = parts[index:]
            return [*values, "/".join(left)] if any(left) else None
        if index >= len(parts) or not parts[index]:
            return None
        part = parts[index]
        if segment.kind == "variable":
            values.append(part)
        elif segment.kind == "fixed":
            if part != segment.text:
                return None
        else:
            fixed = segment.text.partition("{")[0]
            if not part.startswith(fixed) or part == fixed:
                return None
            values.append(part.removeprefix(fixed))
    return values if len(parts) == len(template.segments) else None


def naive(templates: list[Template], path: str) -> tuple[str, list[str]] | None:
    parts = path[1:].removesuffix("/").split("/") if path.strip("/") else []
    best: tuple[list[int], str, list[str]] | None = None
    for template in templates:
        values = match(template, parts)
        ranks = [RANK[segment.kind] for segment in template.segments]
        if values is not None and (best is None or ranks < best[0]):
            best = (ranks, str(template), values)
    return None if best is None else best[1:]


pieces = st.sampled_from(["a", "b", "x{m}", "{v}"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    parts = draw(st.lists(pieces, max_size=4))
    if draw(st.booleans()):
        parts.append("{rest}")
    # Each name once: number them.
    return "/".join(
        part.replace("{m}", f"{{m{index}}}").replace("{v}", f"{{v{index}}}")
        for index, part in enumerate(parts)
    )


def shape(text: str) -> Any:
    return parse_template(text, where=text, rest=frozenset({"rest"})).shape()


@given(
    st.lists(texts(), min_size=1, max_size=8, unique_by=shape),
    st.lists(st.sampled_from(["a", "b", "x1", "x", "zz", "x-é"]), max_size=6),
    st.booleans(),
)
def test_router_finds_what_trying_every_template_finds(
    templates: list[str],
    parts: list[str],
    slash: bool,
):
    operations = [operation(text) for text in templates]
    path = "/" + "/".join(parts) + ("/" if slash and parts else "")
    wanted = naive([item.template for item in operations], path)
    try:
        target, values = Router(operations).resolve(path, None)
    except NotFound:
        assert wanted is None
    else:
        assert (str(target.find("GET").template), list(values)) == wanted
