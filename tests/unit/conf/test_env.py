"""Environment variables: sources, conversion, errors, secrecy."""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utilmeta.conf import Env
from utilmeta.utils.exceptions import ConfigError, EnvError

Write = Callable[[str, str], Path]


class Shop(Env):
    PORT: int = 5432
    DB_USER: str = "nobody"
    DB_PASSWORD: str = ""
    PRODUCTION: bool = False


class Shapes(Env):
    NAMES: list[str] = pydantic.Field(default_factory=list)
    NUMBERS: tuple[int, ...] = ()
    UNIQUE: set[int] = pydantic.Field(default_factory=set)
    FROZEN: frozenset[str] = frozenset()
    LIMITS: dict[str, int] = pydantic.Field(default_factory=dict)
    MAYBE: int | None = 3
    MAYBE_TEXT: Optional[str] = "x"  # noqa: UP045
    MAYBE_NAMES: list[str] | None = None
    RATIO: float = 1.0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


# -- sources --------------------------------------------------------------------------------------


def test_sources_override_each_other_in_order(write: Write, monkeypatch: pytest.MonkeyPatch):
    class Order(Env):
        A: str = "default"
        B: str = "default"
        C: str = "default"
        D: str = "default"

    file = write("e.json", json.dumps({"C": "file", "D": "file"}))
    monkeypatch.setenv("UNIT_D", "system")
    env = Order({"B": "data", "C": "data", "D": "data"}, file=file, sys_env="UNIT_")
    assert (env.A, env.B, env.C, env.D) == ("default", "data", "file", "system")
    assert [env.source_of(name) for name in "ABCD"] == [
        "default",
        "data",
        str(file),
        "system UNIT_*",
    ]


@pytest.mark.parametrize("prefix", ["UNIT_", "unit_", "Unit_"])
@pytest.mark.parametrize("name", ["UNIT_PORT", "unit_port", "Unit_Port"])
def test_names_and_prefix_ignore_letter_case(
    prefix: str, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, "6")
    assert Shop(sys_env=prefix).PORT == 6


def test_data_names_ignore_letter_case():
    class Lower(Env):
        db_port: int = 1

    assert Lower({"DB_PORT": "2"}).db_port == 2
    assert Lower({"Db_Port": 3}).db_port == 3


def test_system_is_not_asked_without_sys_env(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "6")
    assert Shop().PORT == 5432
    assert Shop(sys_env=True).PORT == 6


def test_undeclared_variables_are_not_kept():
    env = Shop({"OTHER": "x", "port": 1})
    assert not hasattr(env, "OTHER")
    assert env.model_dump().keys() == {"PORT", "DB_USER", "DB_PASSWORD", "PRODUCTION"}


def test_names_that_differ_in_case_only_are_a_config_error():
    with pytest.raises(ConfigError) as caught:

        class Twice(Env):
            PORT: int = 1
            port: int = 2

    assert "Twice" in str(caught.value)
    assert "'PORT'" in str(caught.value)
    assert "'port'" in str(caught.value)
    assert "rename" in str(caught.value)


# -- conversion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("true", "TRUE", "True", "1", "yes", "YES", "on", "On")),
        *((text, False) for text in ("false", "FALSE", "0", "no", "No", "off", "OFF")),
    ],
)
def test_bool_takes_the_usual_words(text: str, value: bool):
    assert Shop({"PRODUCTION": text}).PRODUCTION is value


@pytest.mark.parametrize("text", ["maybe", "2", ""])
def test_bool_refuses_other_words(text: str):
    with pytest.raises(EnvError, match="PRODUCTION"):
        Shop({"PRODUCTION": text})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("NAMES", "a,b", ["a", "b"]),
        ("NAMES", " a , b ,", ["a", "b"]),
        ("NAMES", '["a", "b,c"]', ["a", "b,c"]),
        ("NAMES", "a", ["a"]),
        ("NAMES", "", []),
        ("NUMBERS", "1, 2", (1, 2)),
        ("NUMBERS", "[1, 2]", (1, 2)),
        ("UNIQUE", "1,2,1", {1, 2}),
        ("UNIQUE", "[1, 1]", {1}),
        ("FROZEN", "a,b", frozenset({"a", "b"})),
        ("LIMITS", '{"a": 1}', {"a": 1}),
        ("MAYBE", "", None),
        ("MAYBE", "7", 7),
        ("MAYBE_TEXT", "", None),
        ("MAYBE_TEXT", "t", "t"),
        ("MAYBE_NAMES", "", None),
        ("MAYBE_NAMES", "a,b", ["a", "b"]),
        ("RATIO", "1.5", 1.5),
    ],
)
def test_text_is_converted(name: str, text: str, value: object):
    assert getattr(Shapes({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("NUMBERS", "a,b"), ("NAMES", "[1"), ("LIMITS", "{"), ("LIMITS", "a=1"), ("RATIO", "x")],
)
def test_text_that_cannot_be_converted_is_an_error(name: str, text: str):
    with pytest.raises(EnvError) as caught:
        Shapes({name: text})
    assert name in str(caught.value)
    assert text[0] in str(caught.value).partition("got")[2]
    assert "from data" in str(caught.value)


item = st.text(st.characters(codec="utf-8", exclude_characters=",["), min_size=1).filter(
    lambda text: text.strip() == text and text.strip()
)


@given(st.lists(item))
def test_comma_list_gives_back_what_was_joined(items: list[str]):
    assert items == Shapes({"NAMES": ",".join(items)}).NAMES


@given(st.lists(st.text()))
def test_json_list_gives_back_what_was_dumped(items: list[str]):
    assert items == Shapes({"NAMES": json.dumps(items)}).NAMES


def test_values_that_are_no_text_are_taken_as_they_are():
    env = Shapes({"NAMES": ["a,b"], "LIMITS": {"a": 1}, "MAYBE": None})
    assert (env.NAMES, env.LIMITS, env.MAYBE) == (["a,b"], {"a": 1}, None)


def test_constraints_of_the_declaration_hold():
    class Bounded(Env):
        PORT: int = pydantic.Field(default=80, ge=1, le=65535)

    with pytest.raises(EnvError, match="less than or equal to 65535"):
        Bounded({"PORT": "70000"})


# -- all faults at once ---------------------------------------------------------------------------


class Needs(Env):
    HOST: str
    PORT: int
    DB_PASSWORD: str
    RETRIES: int = 1


def test_missing_and_invalid_variables_are_reported_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UNIT_PORT", "many")
    with pytest.raises(EnvError) as caught:
        Needs({"retries": "few"}, sys_env="UNIT_")
    message = str(caught.value)
    assert message.startswith("Needs: 4 variable(s)")
    for part in ("UNIT_HOST: missing", "UNIT_DB_PASSWORD: missing", "UNIT_PORT", "RETRIES"):
        assert part in message
    assert "'many' from system UNIT_*" in message
    assert "'few' from data" in message
    assert "looked in data, system UNIT_*" in message


def test_missing_variable_tells_that_only_defaults_were_looked_at():
    with pytest.raises(EnvError, match="HOST: missing; looked in defaults only"):
        Needs()


def test_missing_variable_names_the_file(write: Write):
    file = write("e.json", "{}")
    with pytest.raises(EnvError) as caught:
        Needs(file=file)
    assert f"looked in {file}" in str(caught.value)


def test_validator_over_the_whole_class_is_an_env_error():
    class Whole(Env):
        LOW: int = 1
        HIGH: int = 2

        @pydantic.model_validator(mode="after")
        def check(self) -> "Whole":
            if self.LOW > self.HIGH:
                raise ValueError("LOW is above HIGH")
            return self

    with pytest.raises(EnvError, match="LOW is above HIGH"):
        Whole({"LOW": "3"})


def test_invalid_default_is_an_env_error():
    class Checked(Env):
        PORT: int = pydantic.Field(default=0, ge=1, validate_default=True)

    with pytest.raises(EnvError, match="PORT"):
        Checked()


def test_alias_is_a_name_the_variable_is_found_by():
    class Aliased(Env):
        PORT: int = pydantic.Field(alias="DB_PORT")

    assert Aliased({"DB_PORT": "1"}).PORT == 1


def test_alias_is_looked_for_in_every_source(monkeypatch: pytest.MonkeyPatch):
    class Aliased(Env):
        PORT: int = pydantic.Field(1, validation_alias="DB_PORT")

    monkeypatch.setenv("UNIT_DB_PORT", "2")
    assert Aliased(sys_env="UNIT_").PORT == 2


@pytest.mark.parametrize("data", [{"API_KEY": "hunter2"}, {"API": "hunter2"}])
def test_secret_alias_hides_the_value_in_errors(data: dict[str, str]):
    class Aliased(Env):
        API: int = pydantic.Field(alias="API_KEY")

    with pytest.raises(EnvError) as caught:
        Aliased(data)
    assert "hunter2" not in str(caught.value)


def test_secret_alias_hides_the_value_when_the_whole_class_is_refused():
    class Aliased(Env):
        API: str = pydantic.Field(alias="API_KEY")

        @pydantic.model_validator(mode="after")
        def check(self) -> "Aliased":
            raise ValueError("never right")

    with pytest.raises(EnvError, match="never right") as caught:
        Aliased({"API_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_secret_alias_hides_the_value():
    class Aliased(Env):
        API: str = pydantic.Field(alias="API_KEY")

    assert "hunter2" not in repr(Aliased({"API_KEY": "hunter2"}))


# -- secrecy and immutability ---------------------------------------------------------------------


class Account(pydantic.BaseModel):
    user: str = "u"
    password: str = ""


class Secrets(Env):
    API_KEY: str = ""
    DB_PASSWORD: str = ""
    PIN: int = 0
    TOKENS: list[str] = pydantic.Field(default_factory=list)
    DATABASE_URL: str = ""
    ACCOUNTS: dict[str, dict[str, str]] = pydantic.Field(default_factory=dict)
    HOST: str = "db.example.com"


FILLED = {
    "API_KEY": "hunter2",
    "DB_PASSWORD": "hunter2",
    "PIN": "1234",
    "TOKENS": "hunter2,hunter2",
    "DATABASE_URL": "postgres://u:hunter2@h/db",
    "ACCOUNTS": '{"a": {"password": "hunter2"}}',
}


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda env: f"{env!r}", ascii])
def test_secrets_never_show(show: Callable[[object], str]):
    shown = show(Secrets(FILLED))
    assert "hunter2" not in shown
    assert "1234" not in shown
    assert "db.example.com" in shown


def test_secrets_never_show_when_the_instance_stands_in_something():
    class Holder(pydantic.BaseModel):
        env: Secrets

    env = Secrets(FILLED)
    assert "hunter2" not in repr(Holder(env=env))
    assert "hunter2" not in repr({"env": [env]})


def test_secrets_of_a_nested_model_never_show():
    class Nested(Env):
        ACCOUNT: Account

    env = Nested({"ACCOUNT": '{"user": "u", "password": "hunter2"}'})
    assert env.ACCOUNT.password == "hunter2"
    assert "hunter2" not in repr(env)


@pytest.mark.parametrize(
    ("name", "annotation", "value"),
    [
        ("API_KEY", int, "hunter2"),
        ("DB_PASSWORD", pydantic.constr(min_length=20), "hunter2"),
        ("TOKENS", list[int], "hunter2"),
        ("SECRETS", dict[str, int], '{"a": "hunter2"}'),
        ("ACCOUNT", dict[str, int], '{"password": "hunter2"}'),
        ("DATABASE_URL", int, "postgres://u:hunter2@h/db"),
        ("MY_SECRET", bool, "hunter2"),
    ],
)
def test_secrets_never_stand_in_errors(name: str, annotation: Any, value: str):
    env_class = type("Broken", (Env,), {"__annotations__": {name: annotation}})
    with pytest.raises(EnvError) as caught:
        env_class({name: value})
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)
    # A traceback prints causes, and contexts that are not suppressed.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_validator_that_quotes_a_secret_does_not_reveal_it():
    class Quoting(Env):
        API_KEY: str

        @pydantic.field_validator("API_KEY")
        @classmethod
        def check(cls, value: str) -> str:
            raise ValueError(f"{value} is no key")

    with pytest.raises(EnvError) as caught:
        Quoting({"API_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_instances_are_immutable():
    env = Shop()
    with pytest.raises(pydantic.ValidationError):
        env.PORT = 1
    with pytest.raises(pydantic.ValidationError):
        del env.PORT
    assert env.PORT == 5432


def test_copies_and_pickles_keep_values_and_sources():
    env = Shop({"PORT": "1"})
    for twin in (copy.copy(env), copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin == env
        assert twin.source_of("PORT") == "data"


def test_subclass_adds_variables():
    class Bigger(Shop):
        EXTRA: int = 1

    env = Bigger({"PORT": "2", "EXTRA": "3"})
    assert (env.PORT, env.EXTRA) == (2, 3)


# -- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.json", '{"db_user": "me", "DB_PASSWORD": "p=w", "Port": 1}'),
        ("e.ini", "db_user=me\nDB_PASSWORD=p=w\nPort = 1\n"),
        ("e.ini", "# comment\n[database]\ndb_user = me\nDB_PASSWORD=p=w\n[net]\nport=1\n"),
        ("e.ini", "; comment\nPORT=1\n[database]\ndb_user = 'me'\nDB_PASSWORD=\"p=w\"\n"),
        (".env", "export DB_USER=me # who\nDB_PASSWORD='p=w'\nPORT=1\n"),
        ("prod.env", 'DB_USER="me"\n\n# comment\nDB_PASSWORD="p=w"\nport=1'),
        (".env.local", "DB_USER=me\nDB_PASSWORD=p=w\nPORT=1"),
        ("e.json", '\ufeff{"DB_USER": "me", "DB_PASSWORD": "p=w", "PORT": "1"}'),
    ],
)
def test_files_are_read(name: str, text: str, write: Write):
    env = Shop(file=write(name, text))
    assert (env.DB_USER, env.DB_PASSWORD, env.PORT) == ("me", "p=w", 1)


def test_dotenv_takes_values_over_several_lines(write: Write):
    assert Shop(file=write(".env", 'DB_USER="one\ntwo"\n')).DB_USER == "one\ntwo"


def test_ini_does_not_interpolate(write: Write):
    assert Shop(file=write("e.ini", "DB_USER=100%(x)s $HOME\n")).DB_USER == "100%(x)s $HOME"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("e.json", '{\n"PORT": 1\n"A": 2}', "line 3"),
        ("e.json", "[1]", "line 1"),
        ("e.ini", "PORT=1\nnonsense\n", "line 2"),
        ("e.ini", "[a]\nPORT=1\n\nPORT=2\n", "line 4"),
        (".env", "PORT=1\n=2\n", "line 2"),
        (".env", "PORT=1\nDB_USER='open\n", "line 2"),
    ],
)
def test_malformed_file_tells_path_and_line(name: str, text: str, line: str, write: Write):
    path = write(name, text)
    with pytest.raises(EnvError) as caught:
        Shop(file=path)
    assert str(path) in str(caught.value)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.json", '{"db_password": "hunter2", "DB_PASSWORD": "hunter2"'),
        ("e.ini", "DB_PASSWORD=hunter2\nhunter2\n"),
        ("e.ini", "db_password=hunter2\nDB_PASSWORD=hunter2\n"),
        (".env", "DB_PASSWORD='hunter2\n"),
    ],
)
def test_malformed_file_does_not_reveal_values(name: str, text: str, write: Write):
    with pytest.raises(EnvError) as caught:
        Shop(file=write(name, text))
    assert "hunter2" not in str(caught.value)


def test_file_that_is_not_utf8_tells_the_line(tmp_path: Path):
    path = tmp_path / "e.ini"
    path.write_bytes(b"PORT=1\nDB_USER=\xff\n")
    with pytest.raises(EnvError, match="line 2: the file is not UTF-8"):
        Shop(file=path)


def test_missing_file_is_an_error_with_its_path(tmp_path: Path):
    with pytest.raises(EnvError) as caught:
        Shop(file=tmp_path / "none.json")
    assert str(tmp_path / "none.json") in str(caught.value)


def test_folder_as_file_is_an_error_with_its_path(tmp_path: Path):
    with pytest.raises(EnvError) as caught:
        Shop(file=tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_file_of_another_kind_tells_which_are_expected(write: Write):
    with pytest.raises(EnvError, match=r"\.json, \.ini or \.env"):
        Shop(file=write("e.yaml", "PORT: 1"))


def test_relative_file_starts_at_the_project_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "unit_env_project"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "env.py").write_text(
        "from utilmeta.conf import Env\n"
        "class ProjectEnv(Env):\n    PORT: int = 1\n"
        "env = ProjectEnv(file='conf/e.ini')\n"
    )
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "e.ini").write_text("PORT=77")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir("/")
    from unit_env_project.env import env  # type: ignore[import-not-found]

    assert env.PORT == 77
