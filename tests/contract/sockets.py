"""The contract's WebSocket endpoints, for services that answer on an event loop."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from utilmeta.core import api, request
from utilmeta.core.response import Response
from utilmeta.utils import exceptions


class Said(BaseModel):
    kind: Literal["said"] = "said"
    text: str = Field(min_length=1)


class Left(BaseModel):
    kind: Literal["left"]


Message = Annotated[Said | Left, Field(discriminator="kind")]


class Heard(BaseModel):
    room: str
    text: str


@api.route("rooms/{room}")
class RoomAPI(api.API):
    """Conversations."""

    room: str = request.SlugPathParam

    @api.before("guarded")
    def check(self, token: str = request.QueryParam("")):
        if token != "good":
            raise exceptions.Unauthorized("who are you?", challenge='Bearer realm="rooms"')

    @api.ws
    async def echo(self, socket: api.WebSocket):
        async for message in socket:
            await socket.send(message)

    @api.ws
    async def typed(self, socket: api.WebSocket[Message, Heard], loud: bool = False):
        async for message in socket:
            if isinstance(message, Left):
                await socket.close(4001, "goodbye")
                return
            text = message.text.upper() if loud else message.text
            await socket.send(Heard(room=self.room, text=text))

    @api.ws
    async def patient(self, socket: api.WebSocket[Said, Any]):
        while True:
            try:
                message = await socket.receive()
            except exceptions.BadRequest as exc:
                await socket.send({"wrong": [fault["place"] for fault in exc.errors]})
            else:
                await socket.send({"right": message.text})

    @api.ws
    async def guarded(self, socket: api.WebSocket):
        await socket.send("come in")

    @api.ws
    async def protocols(self, socket: api.WebSocket):
        chosen = "b" if "b" in socket.subprotocols else None
        await socket.accept(chosen, headers=[("X-Room", self.room)])
        await socket.send(repr(chosen))

    @api.ws
    async def closed(self, socket: api.WebSocket):
        await socket.close()

    @api.ws
    async def crash(self, socket: api.WebSocket):
        await socket.accept()
        raise ValueError("secret text")

    @api.ws
    async def conflict(self, socket: api.WebSocket):
        await socket.accept()
        raise exceptions.Conflict("taken")

    @api.ws
    async def early(self, socket: api.WebSocket):
        raise ValueError("secret text")

    @api.ws
    async def seen(self, socket: api.WebSocket):
        await socket.send(
            {
                "path": self.request.path,
                "ip": self.request.ip_address,
                "scheme": self.request.scheme,
                "room": self.room,
            }
        )

    @api.before("answered")
    def answer(self):
        return Response("not here", status=409)

    @api.ws
    async def answered(self, socket: api.WebSocket):
        await socket.send("never")

    @api.ws
    async def counted(self, socket: api.WebSocket):
        """Send until the client is gone, then say so to the next one that asks."""
        try:
            number = 0
            while True:
                await socket.send("x" * 100_000)
                number += 1
        except api.WebSocketDisconnect as exc:
            ENDED.append(exc.code)

    @api.get
    def ended(self):
        return ENDED


ENDED: list[int] = []


@api.CORS(["https://friend.example"])
class OpenAPI(api.API):
    """Open to another site."""

    @api.ws
    async def hello(self, socket: api.WebSocket):
        await socket.send("hello")


class SocketsAPI(api.API):
    """WebSockets."""

    room: RoomAPI
    open: OpenAPI
