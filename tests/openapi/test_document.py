"""The OpenAPI document: valid, complete, and the same from every entrance."""

import enum
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from tests.contract.api import AsyncRootAPI, SyncRootAPI
from tests.testing.services import BACKENDS, service_on
from utilmeta.conf import Preference
from utilmeta.core import api, request
from utilmeta.core.api.compile import compile_api
from utilmeta.core.api.specs.openapi import OpenAPI, make_document
from utilmeta.core.api.specs.yaml import to_yaml
from utilmeta.core.file import File, Image
from utilmeta.core.response import Response, SSEResponse
from utilmeta.testing import Client
from utilmeta.utils import exceptions
from utilmeta.utils.exceptions import ConfigError


def describe(root: type[api.API], **options: Any) -> dict[str, Any]:
    """Return a valid document of an API class."""
    document = make_document(compile_api(root), title="T", version="1.0.0", **options)
    validate(document)
    # Everything in it is JSON.
    assert json.loads(json.dumps(document)) == document
    return document


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Item(BaseModel):
    """A thing."""

    name: str = Field(min_length=1, description="what it is called")
    colour: Colour = Colour.RED
    parent: "Item | None" = None


class Limits(TypedDict):
    low: int


class Envelope(Response[Any]):
    result_key = "data"
    message_key = "msg"
    count_key = "count"


class Created(Response[Item]):
    """Made."""

    status = 201
    description = "It was made"


class Meta(TypedDict):
    x_total: int


class Listed(Response[list[Item]]):
    headers: Meta


class ItemsAPI(api.API):
    """Things."""

    @api.get(tags=["list"], summary="All of them", deprecated=True, extension={"x-cost": 3})
    def find(
        self,
        colour: Colour | None = None,
        page: int = request.QueryParam(1, ge=1, description="from 1"),
        limits: Limits = request.QueryParam(default_factory=dict),
        x_trace: str = request.HeaderParam("none"),
        authorization: str = request.HeaderParam(""),
        session: str = request.CookieParam(""),
    ) -> Listed:
        """List things.

        The newest come first.

        Args:
            colour: not shown, as it is for those who read the code.
        """
        raise NotImplementedError

    @api.post
    def create(self, item: Item, dry: bool = False) -> Created:
        raise NotImplementedError

    @api.put("{id}")
    def write(self, id: int, name: str = request.BodyParam, n: int = request.BodyParam(1)) -> None:  # noqa: A002
        raise NotImplementedError

    @api.get("{id}/image")
    def image(self, id: int) -> bytes:  # noqa: A002
        raise NotImplementedError

    @api.post("upload")
    def upload(self, file: Image = request.BodyParam, files: list[File] = request.BodyParam) -> str:
        raise NotImplementedError

    @api.get
    def events(self) -> SSEResponse[Item]:
        raise NotImplementedError

    @api.get(private=True)
    def hidden(self):
        raise NotImplementedError

    @api.ws
    async def talk(self, socket: api.WebSocket): ...


class RootAPI(api.API):
    items: ItemsAPI

    @api.get
    def either(self) -> Item | Created:
        raise NotImplementedError

    @api.get
    def nullable(self) -> int | None:
        raise NotImplementedError

    @api.get("optional/{a}/{b}")
    def optional(self, a: int, b: int = 0):
        return a

    @api.get
    def whole(self, query: Item = request.Query) -> list[Item]:
        raise NotImplementedError


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(RootAPI, route="/api", description="About it.")


def parameter(entry: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in entry["parameters"] if item["name"] == name)
    return found


def test_operation_says_what_was_declared(document: dict[str, Any]):
    find = document["paths"]["/api/items/find"]["get"]
    assert find["tags"] == ["list"]
    assert find["summary"] == "All of them"
    assert find["description"] == "The newest come first."
    assert find["deprecated"] is True
    assert find["x-cost"] == 3
    assert find["operationId"] == "get_items_find"
    assert {item["name"] for item in document["tags"]} >= {"list", "items"}


def test_private_operations_and_websockets_are_left_out(document: dict[str, Any]):
    assert "/api/items/hidden" not in document["paths"]
    assert "/api/items/talk" not in document["paths"]


def test_parameters_have_places_constraints_and_styles(document: dict[str, Any]):
    find = document["paths"]["/api/items/find"]["get"]
    page = parameter(find, "page")
    assert (page["in"], page["required"], page["description"]) == ("query", False, "from 1")
    assert page["schema"]["minimum"] == 1
    assert page["schema"]["default"] == 1
    # Null cannot be written in a query.
    assert parameter(find, "colour")["schema"] == {"$ref": "#/components/schemas/Colour"}
    assert parameter(find, "limits")["style"] == "deepObject"
    assert parameter(find, "x-trace")["in"] == "header"
    assert parameter(find, "session")["in"] == "cookie"
    # Documents describe it as security, not as a parameter.
    assert all(item["name"] != "authorization" for item in find["parameters"])


def test_whole_query_becomes_a_parameter_for_each_member(document: dict[str, Any]):
    whole = document["paths"]["/api/whole"]["get"]
    assert {item["name"]: item["required"] for item in whole["parameters"]} == {
        "name": True,
        "colour": False,
        "parent": False,
    }
    assert parameter(whole, "name")["description"] == "what it is called"


def test_enumerations_have_names(document: dict[str, Any]):
    assert document["components"]["schemas"]["Colour"]["x-enum-varnames"] == ["RED", "BLUE"]


def test_bodies_are_described_by_media_type(document: dict[str, Any]):
    write = document["paths"]["/api/items/{id}"]["put"]["requestBody"]
    schema = write["content"]["application/json"]["schema"]
    assert (write["required"], schema["required"]) == (True, ["name"])
    assert schema["properties"]["n"]["default"] == 1
    upload = document["paths"]["/api/items/upload"]["post"]["requestBody"]["content"]
    assert list(upload) == ["multipart/form-data"]
    parts = upload["multipart/form-data"]["schema"]["properties"]
    assert parts["file"]["format"] == "binary"
    assert parts["file"]["contentMediaType"] == "image/*"
    assert parts["files"]["items"]["format"] == "binary"


def test_responses_follow_templates_and_annotations(document: dict[str, Any]):
    paths = document["paths"]
    created = paths["/api/items/create"]["post"]["responses"]
    assert created["201"]["description"] == "It was made"
    assert created["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/Item")
    assert {"400", "413", "415", "default"} <= set(created)
    listed = paths["/api/items/find"]["get"]["responses"]["200"]
    assert listed["headers"] == {"x_total": {"schema": {"title": "X Total", "type": "integer"}}}
    assert listed["content"]["application/json"]["schema"]["type"] == "array"
    assert "204" in paths["/api/items/{id}"]["put"]["responses"]
    assert "404" in paths["/api/items/{id}"]["put"]["responses"]
    image = paths["/api/items/{id}/image"]["get"]["responses"]["200"]["content"]
    assert list(image) == ["application/octet-stream"]
    assert list(paths["/api/items/events"]["get"]["responses"]["200"]["content"]) == [
        "text/event-stream"
    ]
    assert set(paths["/api/either"]["get"]["responses"]) == {"200", "201", "default"}


def test_optional_path_parameters_are_paths_of_their_own(document: dict[str, Any]):
    both = document["paths"]["/api/optional/{a}/{b}"]["get"]
    one = document["paths"]["/api/optional/{a}"]["get"]
    assert [item["name"] for item in both["parameters"]] == ["a", "b"]
    assert [item["name"] for item in one["parameters"]] == ["a"]
    assert both["operationId"] != one["operationId"]


def test_error_template_is_described():
    class Wrapped(api.API):
        response = Envelope

        @api.get
        def numbers(self, n: int) -> list[int]:
            raise NotImplementedError

    responses = describe(Wrapped)["paths"]["/numbers"]["get"]["responses"]
    success = responses["200"]["content"]["application/json"]["schema"]
    assert success["required"] == ["data", "msg", "count"]
    assert success["properties"]["data"]["items"] == {"type": "integer"}
    failure = responses["400"]["content"]["application/json"]["schema"]
    assert failure["required"] == ["data", "msg", "count"]


def test_errors_are_described_as_the_hook_answers_them():
    class Named(BaseModel):
        errors: dict[str, list[str]]

    class Child(api.API):
        @api.get("{n}", timeout=1)
        def numbers(self, n: int) -> list[int]:
            raise NotImplementedError

        @api.handle
        def log(self, error: api.Error) -> None:
            raise NotImplementedError

    class Root(api.API):
        child: Child

        @api.handle(exceptions.ClientError)
        def name(self, error: api.Error) -> Response[Named]:
            raise NotImplementedError

    responses = describe(Root)["paths"]["/child/{n}"]["get"]["responses"]
    told = {status: set(response["content"]) for status, response in responses.items()}
    ours, problem = {"application/json"}, {"application/problem+json"}
    assert told == {
        "200": ours,
        "400": ours,
        "404": ours,
        "504": problem,
        "default": ours | problem,
    }
    named = responses["404"]["content"]["application/json"]["schema"]
    assert named == {"$ref": "#/components/schemas/Named"}


def test_optional_defaults_and_dictionaries_are_described_truly():
    class Odd(api.API):
        @api.get
        def x(
            self,
            session: int | None = request.CookieParam(None),
            extra: dict[str, int] = request.QueryParam(default_factory=dict),
        ) -> Annotated[Iterator[Item], SSEResponse]:
            yield Item(name="a")

    entry = describe(Odd)["paths"]["/x"]["get"]
    assert parameter(entry, "session")["schema"] == {"type": "integer"}
    assert parameter(entry, "extra")["style"] == "deepObject"
    events = entry["responses"]["200"]["content"]["text/event-stream"]
    assert events["x-item-schema"] == {"$ref": "#/components/schemas/Item"}


def test_types_of_one_name_get_the_names_of_their_modules():
    other = type("Item", (BaseModel,), {"__annotations__": {"n": int}, "__module__": "shop.items"})

    class Both(api.API):
        @api.post
        def one(self, item: Item): ...

        @api.post
        def two(self, item: other): ...  # type: ignore[valid-type]

    names = set(describe(Both)["components"]["schemas"])
    assert {"shop__items__Item", "tests__openapi__test_document__Item"} <= names


def test_types_that_cannot_be_told_apart_are_refused():
    first, second = (
        type("Item", (BaseModel,), {"__annotations__": {"n": kind}, "__module__": "shop.items"})
        for kind in (int, str)
    )

    class Both(api.API):
        @api.post
        def one(self, item: first): ...  # type: ignore[valid-type]

        @api.post
        def two(self, item: second): ...  # type: ignore[valid-type]

    with pytest.raises(ConfigError, match=r"two types are both called .*Item"):
        describe(Both)


def test_operations_of_one_id_are_refused():
    class Both(api.API):
        @api.get(operation_id="x")
        def one(self): ...

        @api.get(operation_id="x")
        def two(self): ...

    with pytest.raises(ConfigError, match="operation_id='x'"):
        describe(Both)


# -- the contract's API, from every entrance ------------------------------------------------------


@pytest.mark.parametrize("root", [SyncRootAPI, AsyncRootAPI])
def test_contracts_document_is_valid(root: type[api.API]):
    operations = compile_api(root)
    document = make_document(operations, title="T", version="1")
    validate(document)
    public = [op for op in operations if op.method != "WS" and not op.about.private]
    assert sum(len(item) for item in document["paths"].values()) == len(public)
    assert yaml.safe_load(to_yaml(document)) == json.loads(json.dumps(document))


@pytest.mark.parametrize("backend", BACKENDS)
def test_service_answers_with_its_document(backend: str):
    with (
        service_on(
            backend,
            RootAPI if backend not in {"django", "flask"} else SyncAPI,
            route="/api",
            origin="https://api.example.com",
            settings={"ALLOWED_HOSTS": ["api.example.com"]},
        ) as service,
        Client(base_url="http://api.example.com") as client,
    ):
        answer = client.get("/api/openapi.json")
        assert answer.json() == service.openapi() == OpenAPI(service)()
        assert answer.json()["servers"] == [{"url": "https://api.example.com"}]
        same = {"If-None-Match": answer.headers["etag"]}
        assert client.get("/api/openapi.json", headers=same).status_code == 304
        text = client.get("/api/openapi.yaml")
        assert text.headers["content-type"] == "application/yaml"
        assert yaml.safe_load(text.text) == answer.json()


class SyncAPI(api.API):
    """What sync services can run."""

    @api.get
    def whole(self, query: Item = request.Query) -> list[Item]:
        raise NotImplementedError


def test_docs_are_shown_in_development_and_hidden_in_production():
    with service_on("starlette", SyncAPI), Client() as client:
        page = client.get("/docs")
        assert "unsafe" not in page.headers["content-security-policy"]
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "docs.js"):
            assert f'"/docs/{name}"' in page.text
            assert client.get(f"/docs/{name}").status_code == 200
        assert client.get("/docs/README.md").status_code == 404
        assert client.get("/docs/..%2Fdocs.py").status_code == 404
    for preference, statuses in (
        (Preference(), (404, 200)),
        (Preference(docs=True), (200, 200)),
        (Preference(docs=False), (404, 404)),
    ):
        with (
            service_on(
                "starlette",
                SyncAPI,
                production=True,
                configs=[preference],
                settings={"SECRET_KEY": "x" * 60},
            ) as _,
            Client() as client,
        ):
            got = (client.get("/docs").status_code, client.get("/openapi.json").status_code)
            assert got == statuses


def test_own_endpoints_win_over_the_description():
    class Mine(api.API):
        @api.get("docs")
        def docs(self):
            return "mine"

    with service_on("starlette", Mine), Client() as client:
        assert client.get("/docs").text == "mine"
        assert client.get("/openapi.json").status_code == 200


def test_document_can_be_mounted_by_hand():
    class Root(api.API):
        hello: SyncAPI
        about: OpenAPI.as_api("schema.json", ui=True)  # type: ignore[valid-type]

    with service_on("starlette", Root, configs=[Preference(docs=False)]), Client() as client:
        assert "/hello/whole" in client.get("/schema.json").json()["paths"]
        assert 'data-url="/schema.json"' in client.get("/docs").text


# -- other documents ------------------------------------------------------------------------------


OTHER = {
    "openapi": "3.0.3",
    "info": {"title": "Other", "version": "1"},
    "servers": [{"url": "/v1"}],
    "paths": {
        "/items": {
            "get": {
                "operationId": "get_whole",
                "responses": {
                    "200": {
                        "description": "OK",
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Item"}}
                        },
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {
            "Item": {
                "type": "object",
                "properties": {
                    "n": {
                        "type": "integer",
                        "nullable": True,
                        "minimum": 1,
                        "exclusiveMinimum": True,
                    }
                },
            }
        }
    },
}


def joined(source: Any, route: str = "/v1") -> dict[str, Any]:
    with service_on("starlette", SyncAPI, configs=[Preference(external_docs={route: source})]) as s:
        s.setup()
        document = s.openapi()
    validate(document)
    return document


def test_other_documents_are_joined(tmp_path: Path):
    path = tmp_path / "other.json"
    path.write_text(json.dumps(OTHER), encoding="utf-8")
    for source in (OTHER, str(path), lambda: OTHER):
        document = joined(source)
        entry = document["paths"]["/v1/items"]["get"]
        assert entry["operationId"] == "v1_get_whole"
        schema = entry["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/v1_Item"}
        number = document["components"]["schemas"]["v1_Item"]["properties"]["n"]
        assert number == {"type": ["integer", "null"], "exclusiveMinimum": 1}


def test_mounted_fastapi_application_describes_itself():
    from fastapi import FastAPI

    other = FastAPI(title="Other")

    @other.get("/ping")
    def ping() -> dict[str, int]:
        return {"pong": 1}

    with service_on("starlette", SyncAPI, route="/api") as service:
        service.mount(other, "/other")
        with Client() as client:
            document = client.get("/api/openapi.json").json()
            assert client.get("/other/ping").json() == {"pong": 1}
    validate(document)
    assert {"/api/whole", "/other/ping"} <= set(document["paths"])


@pytest.mark.parametrize("source", ["/nowhere.json", {}, {"swagger": "2.0"}, lambda: None])
def test_document_that_is_none_is_refused(source: Any):
    with pytest.raises(ConfigError, match="the document for /v1"):
        joined(source)


def test_path_described_twice_is_refused():
    own = {**OTHER, "servers": [], "paths": {"/whole": {}}}
    with pytest.raises(ConfigError, match="described by two"):
        joined(own, "/")


# -- the command ----------------------------------------------------------------------------------


def test_command_writes_checks_and_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "openapi.json"
    with service_on("starlette", RootAPI, route="/api") as service:
        call_command("openapi", output=str(path))
        assert json.loads(path.read_text(encoding="utf-8")) == service.openapi()
        call_command("openapi", check=str(path))
        path.write_text("{}", encoding="utf-8")
        with pytest.raises(CommandError, match="write it anew"):
            call_command("openapi", check=str(path))
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("openapi", check=str(tmp_path / "absent"))
        capsys.readouterr()
        call_command("openapi", yaml=True)
        assert yaml.safe_load(capsys.readouterr().out) == service.openapi()
        call_command("openapi", split=str(tmp_path / "parts"))
    whole = json.loads((tmp_path / "parts" / "openapi.json").read_text(encoding="utf-8"))
    for item in whole["paths"].values():
        part = json.loads((tmp_path / "parts" / item["$ref"]).read_text(encoding="utf-8"))
        assert "responses" in next(iter(part.values()))
    assert (tmp_path / "parts" / "schemas" / "Item.json").exists()


# -- YAML -----------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("aé: -#{}[]'\"0", max_size=5), inner),
    max_leaves=20,
)


@given(VALUES)
def test_yaml_means_what_the_json_means(value: Any):
    loaded = yaml.safe_load(to_yaml(value))
    # A YAML 1.1 reader takes 1e5 for text; the numbers of a document have no exponent.
    assert loaded == value or "e" in json.dumps(value)
