"""Decorators of endpoints and nested classes."""

# ruff: noqa: A002 - path parameters are named as users name them

from typing import Any

import pytest

from utilmeta.core import api
from utilmeta.core.api.compile import compile_api
from utilmeta.utils.exceptions import ConfigError

VERBS = ["get", "post", "put", "patch", "delete"]


@pytest.mark.parametrize("verb", VERBS)
def test_verb_works_bare_and_called(verb: str):
    decorator = getattr(api, verb)

    class Root(api.API):
        @decorator
        def bare(self): ...

        @decorator()
        def empty(self): ...

        @decorator("one", "two/{id}")
        def many(self, id: int = 1): ...

        @decorator("")
        def own(self): ...

    found = {(operation.method, str(operation.template)) for operation in compile_api(Root)}
    paths = ["/bare", "/empty", "/one", "/two/{id}", "/two", "/"]
    assert found == {(verb.upper(), path) for path in paths}


@pytest.mark.parametrize("verb", VERBS)
def test_method_named_like_a_verb_answers_at_the_class(verb: str):
    plain: Any = type("Plain", (api.API,), {verb: lambda self: None})
    decorated: Any = type("Decorated", (api.API,), {verb: getattr(api, verb)(_named(verb))})
    for cls in (plain, decorated):
        assert [(item.method, str(item.template)) for item in compile_api(cls)] == [
            (verb.upper(), "/")
        ]


def _named(name: str) -> Any:
    def function(self): ...

    function.__name__ = name
    return function


@pytest.mark.parametrize("value", [1, None, b"a", ["a"]])
def test_path_that_is_no_text_is_a_config_error(value: object):
    with pytest.raises(ConfigError) as caught:
        api.get(value)
    assert f"@api.get({value!r})" in str(caught.value)
    assert "expected a path" in str(caught.value)


@pytest.mark.parametrize("status", [199, 300, 404, 0, -1, "201", 2.5])
def test_status_that_is_no_success_is_a_config_error(status: Any):
    with pytest.raises(ConfigError) as caught:
        api.post("a", status=status)
    assert "@api.post(status=" in str(caught.value)
    assert str(status) in str(caught.value)
    assert "200 to 299" in str(caught.value)


def test_unknown_option_is_a_config_error():
    with pytest.raises(ConfigError) as caught:
        api.get("a", colour="red")  # type: ignore[call-arg]
    assert "colour" in str(caught.value)
    assert "status" in str(caught.value)


def test_endpoint_decorated_twice_is_a_config_error():
    with pytest.raises(ConfigError) as caught:

        class Root(api.API):
            @api.get
            @api.post
            def twice(self): ...

    assert "twice: decorated twice" in str(caught.value)
    assert "one method for each verb" in str(caught.value)


@pytest.mark.parametrize("templates", [(), (1,), ("a", None), (object,)])
def test_route_without_a_path_is_a_config_error(templates: tuple[Any, ...]):
    with pytest.raises(ConfigError) as caught:
        api.route(*templates)
    assert "api.route(...)" in str(caught.value)
    assert "'{slug}/comments'" in str(caught.value)


def test_route_on_a_function_is_a_config_error():
    with pytest.raises(ConfigError, match=r"@api\.route belongs on an API class"):

        @api.route("a")
        def function(self): ...
