"""`manage.py env`."""

# ruff: noqa: RUF012 - defaults of pydantic fields are copied

import io
import sys
from types import ModuleType

import pydantic
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from dotenv import dotenv_values

from utilmeta.conf import Env
from utilmeta.management.commands import env as command


class ShownEnv(Env):
    HOST: str = "localhost"
    PORT: int
    DB_PASSWORD: str = "hunter2-default"
    TAGS: list[str] = pydantic.Field(default_factory=lambda: ["a", "b"])
    LIMITS: dict[str, int] = pydantic.Field(default={"a": 1}, description="how many of each")
    ZONE: str | None = None


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Env:
    monkeypatch.setenv("UNIT_DB_PASSWORD", "hunter2-value")
    module = ModuleType("unit_env_module")
    instance = ShownEnv({"PORT": "7"}, sys_env="UNIT_")
    module.first = module.second = instance  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unit_env_module", module)
    return instance


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("env", *arguments, stdout=out)
    return out.getvalue()


def test_each_variable_is_shown_with_type_default_value_and_source(declared: Env):
    text = printed()
    assert f"{__name__}.ShownEnv" in text
    assert "HOST: str, default 'localhost'\n      'localhost' from default" in text
    assert "PORT: int, required\n      7 from data" in text
    assert "DB_PASSWORD: str, default '***'\n      '***' from system UNIT_*" in text
    assert "TAGS: list[str], default ['a', 'b']" in text
    assert "hunter2" not in text


def test_instance_held_twice_is_shown_once(declared: Env):
    assert command.find_envs().count(declared) == 1
    assert printed().count(".ShownEnv") == 1


def test_example_is_an_env_file_with_prefix_and_without_secrets(declared: Env):
    lines = command.example(declared).splitlines()
    for line in (
        "# ShownEnv",
        "UNIT_PORT=",
        "# UNIT_HOST=localhost",
        "# UNIT_TAGS=a,b",
        "# UNIT_ZONE=",
    ):
        assert line in lines
    assert "# dict[str, int]: how many of each" in lines
    assert "hunter2" not in "\n".join(lines)
    assert "hunter2" not in printed("--example")
    assert [line for line in lines if not line.startswith("#")] == ["UNIT_PORT="]


def test_example_gives_back_the_defaults_when_its_lines_are_uncommented():
    class Defaults(Env):
        HOST: str = "local host"
        COMMAS: list[str] = ["a,b", "c"]
        NAMES: list[str] = ["a", "b"]
        FLAG: bool = True
        MAP: dict[str, str] = {"a": "b c"}
        HASH: str = "a # b"
        ZONE: str | None = None

    text = "\n".join(
        line.removeprefix("# ") for line in command.example(Defaults()).splitlines() if "=" in line
    )
    read = dict(dotenv_values(stream=io.StringIO(text)))
    assert Defaults(read).model_dump() == Defaults().model_dump()


def test_example_comments_every_line_of_a_description():
    class Described(Env):
        PORT: int = pydantic.Field(default=1, description="first line\nsecond line")

    assert all(line.startswith("#") for line in command.example(Described()).splitlines())


def test_secrets_inside_defaults_never_show():
    class Nested(Env):
        ACCOUNT: dict[str, str] = {"password": "hunter2"}
        DATABASE_URL: str = "postgres://u:hunter2@h/db"
        URLS: list[str] = ["redis://:hunter2@h"]

    assert "hunter2" not in command.describe(Nested())
    assert "hunter2" not in command.example(Nested())


def test_default_that_depends_on_other_variables_is_shown():
    class Dependent(Env):
        HOST: str = "h"
        URL: str = pydantic.Field(default_factory=lambda data: f"http://{data['HOST']}")

    assert "'http://h' from default" in command.describe(Dependent())
    assert "URL" in command.example(Dependent())


def test_defaults_that_json_cannot_hold_are_shown():
    class Odd(Env):
        SETS: dict[str, set[int]] = {"a": {1}}

    assert "SETS" in command.example(Odd())


def test_nothing_declared_is_an_error_that_says_what_is_looked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "find_envs", list)
    with pytest.raises(CommandError, match=r"utilmeta\.conf\.Env"):
        printed()


def test_find_envs_asks_no_lazy_object_for_its_class(monkeypatch: pytest.MonkeyPatch):
    class Lazy:
        @property
        def __class__(self) -> type:
            raise RuntimeError("no context")

    module = ModuleType("unit_lazy_module")
    module.lazy = Lazy()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unit_lazy_module", module)
    command.find_envs()
