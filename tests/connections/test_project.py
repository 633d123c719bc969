"""Connections of an existing project: what is shown, checked and left alone."""

import json
from pathlib import Path

import pytest

from tests.entrances.projects import PROJECT, SETTINGS, python, write

SERVICE = {"SERVICE": "project.service.service"}


def project(folder: Path, more: str = "") -> Path:
    return write(folder, {**PROJECT, "project/settings.py": f"{SETTINGS}\n{more}\n"})


def test_settings_show_what_was_chosen_for_whom_and_why(tmp_path: Path) -> None:
    done = python(project(tmp_path), "manage.py", "utilmeta_settings", "DATABASES", **SERVICE)
    assert done.status == 0, done.text
    # `default` is the project's, so that nothing was chosen for it.
    chosen = [line.strip() for line in done.out.splitlines() if "chosen:" in line]
    assert chosen == ["chosen: 'archive': CONN_MAX_AGE 600: threads outlive requests"]


def test_settings_as_json_hold_the_values_in_force(tmp_path: Path) -> None:
    arguments = ("manage.py", "utilmeta_settings", "DATABASES", "--json")
    done = python(project(tmp_path), *arguments, **SERVICE)
    row = json.loads(done.out)[0]
    assert list(row["chosen"]) == ["archive"]
    assert row["value"]["archive"]["CONN_MAX_AGE"] == 600
    assert row["value"]["archive"]["CONN_HEALTH_CHECKS"] is True
    assert row["value"]["default"].get("CONN_MAX_AGE", 0) == 0


POSTGRES = "DATABASES['default'] = {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x'"


@pytest.mark.parametrize(
    ("settings", "found", "status"),
    [
        (f"{POSTGRES}, 'CONN_MAX_AGE': 60}}", "(utilmeta.W009)", 0),
        (f"{POSTGRES}, 'CONN_MAX_AGE': 60, 'OPTIONS': {{'pool': True}}}}", "(utilmeta.E001)", 1),
    ],
)
def test_check_names_what_goes_wrong(
    settings: str, found: str, status: int, tmp_path: Path
) -> None:
    done = python(project(tmp_path, settings), "manage.py", "check", **SERVICE)
    assert done.status == status, done.text
    assert found in done.text


def test_check_is_silent_of_what_the_service_chose(tmp_path: Path) -> None:
    done = python(project(tmp_path), "manage.py", "check", **SERVICE)
    assert (done.status, "utilmeta.W" in done.text) == (0, False), done.text
