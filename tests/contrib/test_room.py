"""The room for REST framework as a whole, and the protocol it is found by."""

import subprocess
import sys
from typing import Any

import pytest
from openapi_spec_validator import validate
from rest_framework import serializers

from tests.testing.services import BACKENDS, service_on
from utilmeta.core import api
from utilmeta.core.api.foreign import ForeignForm, RefusedError, extension_of
from utilmeta.testing import Client


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_else_loads_rest_framework():
    code = (
        "import sys, utilmeta.core.server.service, utilmeta.testing, utilmeta.core.auth\n"
        "import utilmeta.contrib, utilmeta.contrib.rest_framework\n"
        "print('rest_framework' in sys.modules)"
    )
    assert python(code) == "False"


def test_a_missing_rest_framework_is_told_with_what_installs_it():
    code = (
        "import sys; sys.modules['rest_framework'] = None\n"
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'rest_framework' else find(name, *a)\n"
        "from utilmeta.utils.exceptions import DependencyNotInstalled\n"
        "try:\n    import utilmeta.contrib.rest_framework\n"
        "except DependencyNotInstalled as exc:\n    print(exc)"
    )
    assert "pip install 'utilmeta[drf]'" in python(code)


def test_the_room_has_no_other_names():
    from utilmeta.contrib import rest_framework

    with pytest.raises(AttributeError, match="nonsense"):
        _ = rest_framework.nonsense
    assert set(dir(rest_framework)) == set(rest_framework.__all__)
    assert all(getattr(rest_framework, name) for name in rest_framework.__all__)


@pytest.mark.parametrize("package", ["no_such", "__main__", "a.b", "json"])
def test_packages_without_a_room_have_no_extension(package: str):
    assert extension_of(package) is None


class Money:
    """A class that says itself how it goes in and out."""

    def __init__(self, cents: int) -> None:
        self.cents = cents

    @classmethod
    def __utilmeta_foreign__(cls, *, many: bool, **_told: Any) -> ForeignForm | None:
        return None if many else MoneyForm()


class MoneyForm(ForeignForm):
    name = "Money"
    key = "tests.Money"
    media_types = ("application/json",)

    def read(self, value: Any, request: Any) -> Money:
        assert request is not None
        if not isinstance(value, int):
            raise RefusedError([(("cents",), "no_number", "a number of cents", value)])
        return Money(value)

    def write(self, value: Money, request: Any) -> int:
        return value.cents

    def describe(self, describe: Any, *, is_answer: bool) -> dict[str, Any]:
        return {"type": "integer", "description": "answered" if is_answer else "sent"}


class MoneyAPI(api.API):
    def post(self, money: Money) -> Money:
        return Money(money.cents * 2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_class_says_itself_how_it_is_read_and_written(backend: str):
    with service_on(backend, MoneyAPI) as service, Client(service) as client:
        assert client.post("/", json=5).json() == 10
        refused = client.post("/", json="x")
        assert refused.json()["errors"] == [
            {
                "place": "body.cents",
                "code": "no_number",
                "expected": "a number of cents",
                "got": "x",
            }
        ]
        assert client.post("/", data={"a": "b"}).status_code == 415
        document = service.openapi()
        validate(document)
        assert document["components"]["schemas"]["Money-Input"]["description"] == "sent"


class UploadSerializer(serializers.Serializer):
    """A file and what is said of it."""

    name = serializers.CharField()
    file = serializers.FileField(max_length=20)
    tags = serializers.MultipleChoiceField(choices=["a", "b"], required=False)


class UploadAPI(api.API):
    def post(self, upload: UploadSerializer) -> dict[str, Any]:
        file = upload.validated_data["file"]
        tags = sorted(upload.validated_data.get("tags", []))
        return {"name": file.name, "size": file.size, "text": file.read().decode(), "tags": tags}


@pytest.mark.parametrize("backend", BACKENDS)
def test_files_reach_the_serializer(backend: str):
    with service_on(backend, UploadAPI) as service, Client(service) as client:
        fields = {"name": "n", "tags": ["a", "b"]}
        sent = client.post("/", data=fields, files={"file": ("a.txt", b"hello", "text/plain")})
        assert sent.json() == {"name": "a.txt", "size": 5, "text": "hello", "tags": ["a", "b"]}
        empty = client.post("/", data=fields, files={"file": ("a.txt", b"", "text/plain")})
        assert empty.json()["errors"][0]["code"] == "empty"
        missing = client.post("/", json={"name": "n"})
        assert [item["place"] for item in missing.json()["errors"]] == ["body.file"]
