"""What a service refuses before it is set up."""

import pytest

from utilmeta.conf import Preference, Time
from utilmeta.core.orm import DatabaseConnections
from utilmeta.testing import override_service
from utilmeta.utils.exceptions import ConfigError


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (DatabaseConnections, "DatabaseConnections): the class needs arguments"),
        ({"time_zone": "UTC"}, "expected a configuration such as Time"),
        (dict, "expected a configuration such as Time"),
    ],
)
def test_use_refuses_what_is_no_configuration(config: object, told: str):
    with override_service(backend="django", name="unit") as service:
        with pytest.raises(ConfigError) as caught:
            service.use(config)
        assert told in str(caught.value)


def test_use_takes_one_of_each_type_and_returns_the_service():
    with override_service(backend="django", name="unit") as service:
        assert service.use(Time(time_zone="UTC")) is service
        assert service.use(Preference) is service
        with pytest.raises(ConfigError, match="Time"):
            service.use(Time())
        assert service.get_config(Time) == Time(time_zone="UTC")


@pytest.mark.parametrize("value", ["false", 1, None])
def test_production_that_is_no_bool_is_refused(value: object):
    with (
        pytest.raises(ConfigError, match="production"),
        override_service(backend="django", name="unit", production=value),
    ):
        pass
