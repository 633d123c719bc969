"""WebSockets with typed messages."""

import os
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from utilmeta import UtilMeta
from utilmeta.core import api, request
from utilmeta.utils import exceptions


class Say(BaseModel):
    kind: Literal["say"]
    text: str = Field(min_length=1, max_length=200)


class Leave(BaseModel):
    kind: Literal["leave"]


class Heard(BaseModel):
    who: str
    text: str


Message = Annotated[Say | Leave, Field(discriminator="kind")]


@api.route("rooms/{room}")
class RoomAPI(api.API):
    room: str = request.SlugPathParam

    @api.before("*")
    def admit(self, name: str = request.QueryParam("")):
        # Before the handshake, an error is an HTTP answer.
        if not name:
            raise exceptions.Unauthorized("give a name")
        self.name = name

    @api.ws
    async def talk(self, socket: api.WebSocket[Message, Heard]):
        async for message in socket:
            if isinstance(message, Leave):
                await socket.close(4000, "goodbye")
                return
            await socket.send(Heard(who=self.name, text=message.text))


class RootAPI(api.API):
    rooms: RoomAPI


service = UtilMeta(
    __name__,
    name="rooms",
    backend=os.environ.get("BACKEND", "starlette"),
    api=RootAPI,
    route="/api",
    port=int(os.environ.get("PORT", "8000")),
)
app = service.application()

if __name__ == "__main__":
    service.run()
