"""Every rule of the settings path, in an existing project and in a fresh service."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.core.setup.compose import DEFAULT, SERVICE, Composed
from utilmeta.core.setup.merge import EXISTING, RANDOM_KEY, RULES, Merged, merge
from utilmeta.utils.exceptions import ConfigError

KEY = {"SECRET_KEY": "existing-key"}


def composed(
    *, who: str = "DjangoSettings", named: bool = False, extra: bool = False, **values: Any
) -> Composed:
    """Return settings that one configuration stands for."""
    names = frozenset(values)
    return Composed(
        values=values,
        origins=dict.fromkeys(values, who),
        named=names if named else frozenset(),
        extra=names if extra else frozenset(),
    )


def join(existing: dict[str, Any] | None, said: Composed, *, production: bool = False) -> Merged:
    """Merge without touching the inputs."""
    before = copy.deepcopy((existing, said))
    merged = merge(existing, said, production=production)
    assert (existing, said) == before
    return merged


def holds(existing: dict[str, Any] | None, merged: Merged, name: str) -> Any:
    """Return the value of a setting after the merge."""
    return merged.values.get(name, (existing or {}).get(name))


SAMPLES: dict[str, Any] = {
    "DATABASES": {"default": {"ENGINE": "e", "NAME": "composed"}},
    "CACHES": {"default": {"BACKEND": "composed"}},
    "INSTALLED_APPS": ["utilmeta", "shop"],
    "MIDDLEWARE": ["shop.Middleware"],
    "ALLOWED_HOSTS": ["shop.example.com"],
    "DATABASE_ROUTERS": ["shop.Router"],
    "SECRET_KEY": "composed-key",
    "DEBUG": True,
    "DEFAULT_AUTO_FIELD": "composed.AutoField",
    "LANGUAGE_CODE": "zh-hans",
    "USE_I18N": False,
    "TIME_ZONE": "Asia/Shanghai",
    "USE_TZ": False,
    "APPEND_SLASH": False,
    "ROOT_URLCONF": "shop.urls",
    "WSGI_APPLICATION": "shop.wsgi",
    "ASGI_APPLICATION": "shop.asgi",
    "LOGGING": {"version": 1},
}


def test_every_rule_has_a_sample():
    assert set(SAMPLES) == set(RULES)


# -- fresh service --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(RULES))
def test_fresh_service_takes_what_was_composed(name: str):
    merged = join(None, composed(**{**KEY, name: SAMPLES[name]}))
    assert merged.values[name] == SAMPLES[name]
    assert merged.origins[name] == (RULES[name].text, "DjangoSettings")


def test_fresh_service_takes_extras():
    merged = join(None, composed(LOGIN_URL="/in", extra=True, who="DjangoSettings"))
    assert merged.values["LOGIN_URL"] == "/in"
    assert merged.origins["LOGIN_URL"][1] == "DjangoSettings"


def test_fresh_service_without_a_key_gets_a_random_one():
    first, second = (join(None, composed(DEBUG=True)) for _ in range(2))
    assert len(first.values["SECRET_KEY"]) >= 50
    assert first.values["SECRET_KEY"] != second.values["SECRET_KEY"]
    assert first.origins["SECRET_KEY"][1] == RANDOM_KEY


@pytest.mark.parametrize("existing", [None, {}, {"SECRET_KEY": ""}, {"SECRET_KEY": None}])
@pytest.mark.parametrize("said", [{}, {"SECRET_KEY": ""}])
def test_production_without_a_key_is_a_config_error(existing: Any, said: dict):
    with pytest.raises(ConfigError) as caught:
        join(existing, composed(**said), production=True)
    message = str(caught.value)
    assert "UtilMeta(production=True)" in message
    assert "DjangoSettings(secret_key=...)" in message


def test_production_forces_debug_off_in_a_fresh_service():
    merged = join(None, composed(DEBUG=True, **KEY), production=True)
    assert merged.values["DEBUG"] is False


# -- existing project -----------------------------------------------------------------------------

ALIASES = ["DATABASES", "CACHES"]
APPENDED = ["INSTALLED_APPS", "MIDDLEWARE", "ALLOWED_HOSTS"]
LISTS = [*APPENDED, "DATABASE_ROUTERS"]
UNLESS_NAMED = [
    "DEFAULT_AUTO_FIELD",
    "LANGUAGE_CODE",
    "USE_I18N",
    "TIME_ZONE",
    "USE_TZ",
    "APPEND_SLASH",
]
KEPT = ["ROOT_URLCONF", "WSGI_APPLICATION", "ASGI_APPLICATION", "LOGGING"]


def test_rules_are_all_covered_below():
    assert {*ALIASES, *LISTS, *UNLESS_NAMED, *KEPT, "SECRET_KEY", "DEBUG"} == set(RULES)


@pytest.mark.parametrize("name", ALIASES)
def test_alias_of_the_project_is_kept_and_missing_ones_are_added(name: str):
    existing = {**KEY, name: {"default": {"NAME": "own"}, "other": {"NAME": "own"}}}
    said = composed(**{name: {"default": {"NAME": "c"}, "log": {"NAME": "c"}}})
    merged = join(existing, said)
    assert merged.values[name] == {
        "default": {"NAME": "own"},
        "other": {"NAME": "own"},
        "log": {"NAME": "c"},
    }
    assert merged.origins[name] == (RULES[name].text, f"{EXISTING}, DjangoSettings")


@pytest.mark.parametrize("name", ALIASES)
def test_aliases_of_the_project_that_suffice_are_not_touched(name: str):
    existing = {**KEY, name: {"default": {"NAME": "own"}}}
    merged = join(existing, composed(**{name: {"default": {"NAME": "c"}}}))
    assert name not in merged.values
    assert merged.origins[name] == (RULES[name].text, EXISTING)


@pytest.mark.parametrize("name", ALIASES)
@pytest.mark.parametrize("own", [{}, {"default": {}}])
def test_empty_alias_counts_as_missing(name: str, own: dict):
    merged = join({**KEY, name: own}, composed(**{name: SAMPLES[name]}))
    assert merged.values[name] == SAMPLES[name]
    assert merged.origins[name][1] == "DjangoSettings"


@pytest.mark.parametrize("name", APPENDED)
@pytest.mark.parametrize("kind", [list, tuple])
def test_list_of_the_project_gets_what_is_missing_appended(name: str, kind: type):
    existing = {**KEY, name: kind(["b", "a"])}
    merged = join(existing, composed(**{name: ["a", "c", "d"]}))
    assert merged.values[name] == ["b", "a", "c", "d"]
    assert merged.origins[name] == ("append what is missing", f"{EXISTING}, DjangoSettings")


def test_routers_are_prepended():
    existing = {**KEY, "DATABASE_ROUTERS": ["own", "both"]}
    merged = join(existing, composed(DATABASE_ROUTERS=["new", "both"]))
    assert merged.values["DATABASE_ROUTERS"] == ["new", "own", "both"]
    assert merged.origins["DATABASE_ROUTERS"][0] == "prepend what is missing"


@pytest.mark.parametrize("name", LISTS)
def test_list_of_the_project_that_suffices_is_not_touched(name: str):
    merged = join({**KEY, name: ("a", "b")}, composed(**{name: ["b"]}))
    assert name not in merged.values
    assert merged.origins[name][1] == EXISTING


texts = st.lists(st.sampled_from("abcdef"), unique=True)


@given(st.sampled_from(LISTS), texts, texts)
def test_lists_lose_nothing_and_keep_both_orders(name: str, own: list[str], said: list[str]):
    existing = {**KEY, name: own}
    result = holds(existing, join(existing, composed(**{name: said})), name)
    assert sorted(result) == sorted({*own, *said})
    assert [item for item in result if item in own] == own
    new = [item for item in said if item not in own]
    assert (result[: len(new)] if name == "DATABASE_ROUTERS" else result[len(own) :]) == new


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("own", "said"), [("text", ["a"]), ([1], ["a"]), (["a"], "text"), (["a"], [1])]
)
def test_list_setting_that_is_none_is_a_config_error(name: str, own: Any, said: Any):
    with pytest.raises(ConfigError) as caught:
        join({**KEY, name: own}, composed(**{name: said}))
    assert str(caught.value).startswith(f"{name}: expected")
    assert "got" in str(caught.value)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("said", ["text", [1], {"a": 1}])
def test_list_setting_that_is_none_is_a_config_error_in_a_fresh_service(name: str, said: Any):
    with pytest.raises(ConfigError, match=name):
        join(None, composed(**{name: said}))


@pytest.mark.parametrize("production", [False, True])
def test_key_of_the_project_is_kept(production: bool):
    merged = join(dict(KEY), composed(SECRET_KEY="c", named=True), production=production)
    assert "SECRET_KEY" not in merged.values
    assert merged.origins["SECRET_KEY"][1] == EXISTING


@pytest.mark.parametrize("existing", [{}, {"SECRET_KEY": ""}])
def test_key_is_set_where_the_project_has_none(existing: dict):
    merged = join(existing, composed(SECRET_KEY="c", named=True), production=True)
    assert merged.values["SECRET_KEY"] == "c"
    assert merged.origins["SECRET_KEY"][1] == "DjangoSettings"


@pytest.mark.parametrize(
    ("existing", "production", "debug"),
    [
        ({"DEBUG": True}, False, True),
        ({"DEBUG": False}, False, False),
        ({"DEBUG": True}, True, False),
        ({"DEBUG": False}, True, False),
        ({}, True, False),
    ],
)
def test_debug_is_kept_unless_production_forces_it_off(
    existing: dict,
    production: bool,
    debug: bool,
):
    project = {**KEY, **existing}
    merged = join(project, composed(DEBUG=not production, who=SERVICE), production=production)
    assert holds(project, merged, "DEBUG") is debug
    if existing.get("DEBUG") == debug:
        assert merged.origins["DEBUG"][1] == EXISTING
    else:
        assert merged.origins["DEBUG"][1] == SERVICE


@pytest.mark.parametrize("name", UNLESS_NAMED)
def test_setting_is_kept_unless_the_user_named_it(name: str):
    existing = {**KEY, name: "own"}
    kept = join(existing, composed(**{name: SAMPLES[name]}, who=DEFAULT))
    assert name not in kept.values
    assert kept.origins[name] == ("keep unless the user named it", EXISTING)
    named = join(existing, composed(**{name: SAMPLES[name]}, named=True, who="Time"))
    assert named.values[name] == SAMPLES[name]
    assert named.origins[name] == ("keep unless the user named it", "Time")


@pytest.mark.parametrize("name", KEPT)
def test_entry_points_of_the_project_are_kept(name: str):
    merged = join({**KEY, name: "own"}, composed(**{name: SAMPLES[name]}, named=True))
    assert name not in merged.values
    assert merged.origins[name] == ("keep", EXISTING)


@pytest.mark.parametrize("name", KEPT)
def test_entry_points_that_the_project_leaves_out_are_set(name: str):
    merged = join(dict(KEY), composed(**{name: SAMPLES[name]}, named=True))
    assert merged.values[name] == SAMPLES[name]
    assert merged.origins[name][1] == "DjangoSettings"


@pytest.mark.parametrize(("existing", "value"), [({"LOGIN_URL": "own"}, "own"), ({}, "extra")])
def test_extra_is_set_if_absent(existing: dict, value: str):
    project = {**KEY, **existing}
    merged = join(project, composed(LOGIN_URL="extra", extra=True))
    assert holds(project, merged, "LOGIN_URL") == value
    assert merged.origins["LOGIN_URL"][0] == "set if absent (extra)"
    assert merged.origins["LOGIN_URL"][1] == (EXISTING if existing else "DjangoSettings")


@pytest.mark.parametrize("own", [None, False, "", 0])
def test_extra_that_the_project_sets_to_something_empty_is_kept(own: Any):
    merged = join({**KEY, "LOGIN_URL": own}, composed(LOGIN_URL="extra", extra=True))
    assert "LOGIN_URL" not in merged.values


@pytest.mark.parametrize(
    "name", ["DATABASES", "CACHES", "TIME_ZONE", "USE_TZ", "MIDDLEWARE", "DEBUG"]
)
def test_default_of_ours_does_not_replace_djangos_where_nobody_decided(name: str):
    merged = join(dict(KEY), composed(**{name: SAMPLES[name]}, who=DEFAULT))
    assert name not in merged.values
    assert merged.origins[name][1] == "Django's default"


@pytest.mark.parametrize("name", sorted(set(RULES) - {"DEBUG"}))
def test_decision_of_the_user_is_set_where_the_project_says_nothing(name: str):
    existing = {} if name == "SECRET_KEY" else dict(KEY)
    merged = join(existing, composed(**{name: SAMPLES[name]}, named=True))
    assert merged.values[name] == SAMPLES[name]
    assert merged.origins[name][1] == "DjangoSettings"


@pytest.mark.parametrize("existing", [None, {}, {"FORMAT_MODULE_PATH": {}}])
def test_setting_without_a_rule_is_a_config_error_that_names_who_and_where_to_put_it(existing: Any):
    with pytest.raises(ConfigError) as caught:
        join(existing, composed(FORMAT_MODULE_PATH={}, who="Mail"))
    assert "Mail sets FORMAT_MODULE_PATH" in str(caught.value)
    assert "DjangoSettings(extra={...})" in str(caught.value)


@pytest.mark.parametrize("existing", [None, KEY])
def test_every_composed_name_has_an_origin(existing: Any):
    merged = join(existing, composed(**SAMPLES))
    assert set(merged.origins) == set(SAMPLES)
    assert all(rule and who for rule, who in merged.origins.values())
