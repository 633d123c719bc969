"""Declarations of where arguments come from."""

import pytest

from utilmeta.core import request
from utilmeta.core.request.params import MISSING, Param, as_param
from utilmeta.utils.exceptions import ConfigError

KINDS = [
    ("PathParam", "path", False),
    ("SlugPathParam", "path", False),
    ("FilePathParam", "path", False),
    ("QueryParam", "query", False),
    ("HeaderParam", "header", False),
    ("CookieParam", "cookie", False),
    ("BodyParam", "body", False),
    ("Path", "path", True),
    ("Query", "query", True),
    ("Headers", "header", True),
    ("Cookies", "cookie", True),
    ("Body", "body", True),
    ("Json", "body", True),
]


@pytest.mark.parametrize(("name", "place", "whole"), KINDS)
def test_kind_works_bare_and_called(name: str, place: str, whole: bool):
    kind = getattr(request, name)
    for value in (kind, kind()):
        made = as_param(value)
        assert isinstance(made, Param)
        assert (made.kind, made.place, made.whole) == (name, place, whole)
        assert made.required


def test_slug_keeps_its_pattern_beside_other_options():
    made = request.SlugPathParam(max_length=7)
    assert made.constraints["max_length"] == 7
    assert made.constraints["pattern"] == as_param(request.SlugPathParam).constraints["pattern"]


def test_default_and_factory_make_it_optional():
    assert not request.QueryParam(1).required
    assert not request.QueryParam(None).required
    assert not request.QueryParam(default_factory=list).required
    assert request.QueryParam().default is MISSING


def test_other_values_declare_nothing():
    assert as_param(1) is None
    assert as_param(None) is None


@pytest.mark.parametrize("name", [name for name, _, _ in KINDS])
def test_unknown_option_is_a_config_error_that_lists_the_known(name: str):
    with pytest.raises(ConfigError) as caught:
        getattr(request, name)(colour="red")
    message = str(caught.value)
    assert message.startswith(f"request.{name}(colour=...)")
    assert "unknown option" in message
    assert "min_length" in message


def test_default_beside_a_factory_is_a_config_error():
    with pytest.raises(ConfigError, match=r"request\.QueryParam: give default or default_factory"):
        request.QueryParam(1, default_factory=int)


@pytest.mark.parametrize(
    "name", [name for name, place, whole in KINDS if not (whole and place == "body")]
)
def test_content_type_belongs_to_whole_bodies(name: str):
    with pytest.raises(ConfigError) as caught:
        getattr(request, name)(content_type="text/plain")
    assert f"request.{name}(content_type=...)" in str(caught.value)
    assert "whole bodies" in str(caught.value)


def test_max_length_is_bytes_of_a_body_and_characters_elsewhere():
    assert request.Body(max_length=7).max_bytes == 7
    assert "max_length" not in request.Body(max_length=7).constraints
    assert request.QueryParam(max_length=7).constraints == {"max_length": 7}
    assert request.QueryParam(max_length=7).max_bytes is None


def test_regex_is_pattern():
    assert request.QueryParam(regex="^a$").constraints == {"pattern": "^a$"}


def test_content_type_ignores_case():
    assert request.Body(content_type="Text/CSV").content_types == ("text/csv",)


def test_description_goes_into_the_field():
    info = request.QueryParam(5, title="Page", description="which", examples=[1]).field_info()
    assert (info.title, info.description, info.examples, info.default) == ("Page", "which", [1], 5)
