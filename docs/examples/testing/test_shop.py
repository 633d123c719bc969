"""Tests of the service: in process, through its whole framework."""

import asyncio

import pytest
import shop
from utilmeta.core import api
from utilmeta.testing import AsyncClient, Client, override_service


@pytest.fixture(scope="module")
def client():
    with Client(shop.service) as client:
        yield client


def test_numbers_are_added(client):
    assert client.get("/api/add", params={"a": 1, "b": 2}).json() == {"sum": 3}


def test_text_is_refused(client):
    answer = client.get("/api/add", params={"a": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["place"] == "query.a"


def test_fixture_takes_the_running_service(api_client):
    assert api_client.get("/api/add", params={"a": 1}).json() == {"sum": 1}


def test_another_service_for_a_while():
    class OtherAPI(api.API):
        @api.get
        async def hello(self):
            return "world"

        @api.ws
        async def echo(self, socket: api.WebSocket):
            async for message in socket:
                await socket.send(message)

    async def ask():
        async with AsyncClient() as client:
            return (await client.get("/hello")).text

    with override_service(backend="tornado", name="other", api=OtherAPI) as service:
        assert asyncio.run(ask()) == "world"
        with Client(service) as client, client.websocket("/echo") as socket:
            socket.send("again")
            assert socket.receive() == "again"
