"""`manage.py utilmeta_settings`."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from utilmeta.conf import current
from utilmeta.core.setup.merge import RULES


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("utilmeta_settings", *arguments, stdout=out)
    return out.getvalue()


def test_every_composed_setting_is_shown_with_value_rule_and_origin():
    rows = {row["name"]: row for row in json.loads(printed("--json"))}
    assert {"DATABASES", "INSTALLED_APPS", "CACHES", "DEBUG", "TIME_ZONE"} <= set(rows)
    assert all(set(row) == {"name", "value", "rule", "origin"} for row in rows.values())
    assert rows["DATABASES"]["rule"] == RULES["DATABASES"].text
    assert rows["USE_TZ"] == {
        "name": "USE_TZ",
        "value": True,
        "rule": RULES["USE_TZ"].text,
        "origin": "existing project",
    }


def test_text_is_for_people():
    text = printed("TIME_ZONE")
    assert text.splitlines() == [
        "TIME_ZONE = 'UTC'",
        "    set by: existing project",
        "    rule:   keep unless the user named it",
    ]


@override_settings(
    DATABASES={"default": {"PASSWORD": "hunter2", "OPTIONS": {"sslpassword": "hunter2"}}},
    CACHES={
        "default": {"LOCATION": "redis://:hunter2@h"},
        "r": {"LOCATION": ["redis://:hunter2@a", "redis://:hunter2@b"]},
        "s": {"LOCATION": "redis://:hunter2@a,redis://:hunter2@b"},
        "q": {"LOCATION": "redis://h?password=hunter2"},
    },
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize("arguments", [(), ("--json",), ("CACHES",)])
def test_secrets_never_show(arguments: tuple[str, ...]):
    assert "hunter2" not in printed(*arguments)


def test_unknown_name_is_an_error_that_names_it():
    with pytest.raises(CommandError, match="does not compose NONSENSE, OTHER"):
        printed("DEBUG", "NONSENSE", "OTHER")


def test_no_service_is_an_error_that_says_what_to_do():
    with current.replaced(), pytest.raises(CommandError, match="UTILMETA_SERVICE"):
        printed()
