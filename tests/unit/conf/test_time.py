"""The time configuration."""

import pytest

from utilmeta.conf import Time
from utilmeta.conf.time import Time as SameTime
from utilmeta.utils.exceptions import ConfigError


def test_both_paths_are_one_class():
    assert Time is SameTime


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Etc/GMT+3"])
def test_iana_zones_are_taken(zone: str):
    assert Time(time_zone=zone).django_settings() == {"TIME_ZONE": zone}


@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "", "+08:00", "../UTC", "/etc/localtime", "America", "US", "\0", "x" * 5000],
)
def test_unknown_zone_is_a_config_error_that_shows_one(zone: str):
    with pytest.raises(ConfigError) as caught:
        Time(time_zone=zone)
    assert "Time(time_zone=" in str(caught.value)
    assert "'Asia/Shanghai'" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, {}),
        ({"use_tz": False}, {"USE_TZ": False}),
        ({"use_tz": True, "time_zone": "UTC"}, {"USE_TZ": True, "TIME_ZONE": "UTC"}),
        ({"datetime_format": "%Y"}, {}),
    ],
)
def test_only_what_was_decided_becomes_a_setting(options: dict, settings: dict):
    time = Time(**options)
    assert time.django_settings() == settings
    assert time.named_settings() == frozenset(settings)


@pytest.mark.parametrize(
    ("options", "field", "got"),
    [
        ({"use_tz": "yes"}, "use_tz", "'yes' (str)"),
        ({"time_zone": 8}, "time_zone", "8 (int)"),
        ({"date_format": True}, "date_format", "True (bool)"),
    ],
)
def test_wrong_type_is_a_config_error(options: dict, field: str, got: str):
    with pytest.raises(ConfigError) as caught:
        Time(**options)
    assert f"Time({field}=...)" in str(caught.value)
    assert got in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("name", ["date_format", "time_format", "datetime_format"])
def test_has_formats_tells_whether_any_differs_from_iso(name: str):
    assert not Time(time_zone="UTC").has_formats
    assert Time(**{name: "%Y"}).has_formats


def test_instances_are_immutable():
    with pytest.raises(AttributeError):
        Time().use_tz = True  # type: ignore[misc]
