"""The tree of errors."""

from http import HTTPStatus

import pytest

from utilmeta.utils import exceptions
from utilmeta.utils.exceptions import http

CLASSES = [
    value
    for name in exceptions.__all__
    if isinstance(value := getattr(exceptions, name), type)
    and issubclass(value, exceptions.HttpError)
]
FINAL = [cls for cls in CLASSES if not cls.__subclasses__()]


@pytest.mark.parametrize("name", exceptions.__all__)
def test_every_error_is_one_of_ours(name: str):
    assert issubclass(getattr(exceptions, name), exceptions.UtilMetaError)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("EnvError", "ConfigError"),
        ("DependencyNotInstalled", "UtilMetaError"),
        ("Redirect", "HttpError"),
        ("ClientError", "HttpError"),
        ("ServerError", "HttpError"),
    ],
)
def test_tree_is_as_drawn(child: str, parent: str):
    assert issubclass(getattr(exceptions, child), getattr(exceptions, parent))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_status_lies_in_the_range_of_its_branch(cls: type[http.HttpError]):
    branch = {3: exceptions.Redirect, 4: exceptions.ClientError, 5: exceptions.ServerError}
    if cls is not exceptions.HttpError:
        assert issubclass(cls, branch[cls.status // 100])


@pytest.mark.parametrize("cls", FINAL, ids=lambda cls: cls.__name__)
def test_status_is_registered_and_no_other_class_has_it(cls: type[http.HttpError]):
    assert HTTPStatus(cls.status)
    assert [other for other in FINAL if other.status == cls.status] == [cls]


def test_every_registered_error_status_has_a_class():
    own = {cls.status for cls in CLASSES}
    # 418 is a joke, 506 and 510 are obsolete or experimental (IANA registry).
    wanted = {status.value for status in HTTPStatus if status >= 400} - {418, 506, 510}
    assert wanted <= own
    assert {301, 302, 303, 307, 308} <= own


def test_message_defaults_to_the_phrase():
    assert exceptions.NotFound().message == "Not Found"
    assert str(exceptions.NotFound("no such shop")) == "no such shop"
    assert exceptions.NotFound("").message == ""


def test_status_of_an_instance_overrides_that_of_its_class():
    error = exceptions.BadRequest("x", status=422, code="odd", errors=[{"place": "query.a"}])
    assert (error.status_code, error.code, error.errors) == (422, "odd", [{"place": "query.a"}])
    assert exceptions.BadRequest.status == 400


def test_headers_are_copied():
    headers = {"X-A": "1"}
    error = exceptions.Conflict(headers=headers)
    error.headers["X-B"] = "2"
    assert headers == {"X-A": "1"}


@pytest.mark.parametrize("cls", [c for c in FINAL if issubclass(c, exceptions.Redirect)])
def test_redirect_has_a_location(cls: type[http.Redirect]):
    assert cls("/there").headers == {"Location": "/there"}


def test_unauthorized_has_a_challenge():
    assert exceptions.Unauthorized().headers == {"WWW-Authenticate": "Bearer"}
    assert exceptions.Unauthorized(challenge='Basic realm="x"').headers == {
        "WWW-Authenticate": 'Basic realm="x"'
    }


def test_method_not_allowed_has_allow():
    error = exceptions.MethodNotAllowed(allow=["GET", "HEAD"])
    assert error.headers == {"Allow": "GET, HEAD"}
    assert error.allow == ("GET", "HEAD")


def test_dependency_not_installed_is_an_import_error_with_the_line_that_helps():
    error = exceptions.DependencyNotInstalled(
        "flask", requirement="utilmeta[flask]", purpose="backend 'flask'"
    )
    assert isinstance(error, ImportError)
    assert "backend 'flask'" in str(error)
    assert "pip install 'utilmeta[flask]'" in str(error)


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(404, "Not Found"), (413, "Content Too Large"), (200, "OK"), (418, "I'm a Teapot")],
)
def test_phrase_of_knows_the_registry(status: int, phrase: str):
    assert http.phrase_of(status).lower() == phrase.lower()


def test_phrase_of_an_unregistered_status_is_unknown():
    assert http.phrase_of(599) == "Unknown"
