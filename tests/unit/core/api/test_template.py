"""Path templates, taken apart."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.api.template import parse_template
from utilmeta.utils.exceptions import ConfigError

WHERE = "ShopAPI.find"


@pytest.mark.parametrize(
    ("text", "kinds", "names"),
    [
        ("", [], ()),
        ("/", [], ()),
        ("a", ["fixed"], ()),
        ("/a/b/", ["fixed", "fixed"], ()),
        ("{id}", ["variable"], ("id",)),
        ("a/{id}/c/{x}", ["fixed", "variable", "fixed", "variable"], ("id", "x")),
        ("v{major}.{minor}", ["mixed"], ("major", "minor")),
        ("{a}-{b}", ["mixed"], ("a", "b")),
        ("@{user}", ["mixed"], ("user",)),
        ("中文/{名}", ["fixed", "variable"], ("名",)),
    ],
)
def test_template_is_taken_apart(text: str, kinds: list[str], names: tuple[str, ...]):
    template = parse_template(text, where=WHERE)
    assert [segment.kind for segment in template.segments] == kinds
    assert template.names == names
    assert str(template) == "/" + text.strip("/")


def test_rest_variable_takes_the_last_segment():
    template = parse_template("files/{path}", where=WHERE, rest=frozenset({"path"}))
    assert [segment.kind for segment in template.segments] == ["fixed", "rest"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{a}{b}", "side by side"),
        ("x{a}{b}y", "side by side"),
        ("{a", "braces"),
        ("a}", "braces"),
        ("{{a}}", "braces"),
        ("{}", "identifier"),
        ("{1a}", "identifier"),
        ("{a-b}", "identifier"),
        ("{id:int}", "identifier"),
        ("{a b}", "identifier"),
        ("{a}/{a}", "twice"),
        ("{a}-{a}", "twice"),
        ("a//b", "'//'"),
        ("a?b=1", "'?'"),
        ("a#b", "'#'"),
    ],
)
def test_wrong_template_is_a_config_error_that_names_where_and_what(text: str, told: str):
    with pytest.raises(ConfigError) as caught:
        parse_template(text, where=WHERE)
    message = str(caught.value)
    assert message.startswith(WHERE)
    assert told in message
    assert "'" in message[len(WHERE) :]


@pytest.mark.parametrize("text", ["{path}/a", "{path}/{id}", "v{path}"])
def test_rest_variable_elsewhere_is_a_config_error(text: str):
    with pytest.raises(ConfigError, match=r"ShopAPI\.find.*FilePathParam must be"):
        parse_template(text, where=WHERE, rest=frozenset({"path"}))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("{a}", "{b}", True),
        ("x/{a}", "x/{b}", True),
        ("x", "y", False),
        ("{a}", "x", False),
        ("v{a}", "v{b}", True),
        ("v{a}", "w{a}", False),
        ("", "/", True),
    ],
)
def test_shape_is_equal_when_the_same_paths_match(one: str, two: str, same: bool):
    shapes = [parse_template(text, where=WHERE).shape() for text in (one, two)]
    assert (shapes[0] == shapes[1]) is same


def test_templates_are_joined():
    joined = parse_template("a/{b}", where=WHERE) + parse_template("c", where=WHERE)
    assert str(joined) == "/a/{b}/c"


@pytest.mark.parametrize(
    ("text", "part", "groups"),
    [
        ("v{a}", "v12", ("12",)),
        ("v{a}", "v", None),
        ("{a}-{b}", "x-y-z", ("x", "y-z")),
        ("{a}.json", "x.json", ("x",)),
        ("{a}.json", "x-json", None),
        ("v{a}", "v1\n2", ("1\n2",)),
    ],
)
def test_mixed_segment_matches_text_around_variables(
    text: str, part: str, groups: tuple[str, ...] | None
):
    assert parse_template(text, where=WHERE).segments[0].matcher()(part) == groups


def test_mixed_segment_takes_hostile_text_apart_at_once():
    match = parse_template("{a}-{b}-{c}-{d}.json", where=WHERE).segments[0].matcher()
    assert match("-" * 200_000) is None


@given(st.text("ab-.", max_size=12))
def test_mixed_segment_finds_what_a_pattern_finds(part: str):
    text = "a{a}-{b}.{c}"
    pattern = re.compile(r"a(.+?)\-(.+?)\.(.+?)", re.DOTALL)
    found = pattern.fullmatch(part)
    expected = found.groups() if found else None
    assert parse_template(text, where=WHERE).segments[0].matcher()(part) == expected


@pytest.mark.parametrize("text", ["a/../b", "./a", "a%20b"])
def test_text_that_no_path_holds_is_refused(text: str):
    with pytest.raises(ConfigError, match="never comes in a path"):
        parse_template(text, where=WHERE)
