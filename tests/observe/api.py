"""The API that is watched."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

from utilmeta.core import api, request
from utilmeta.utils import exceptions
from utilmeta.utils.logs import current_labels

logger = logging.getLogger("some.library")


def select(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s + 1", [41])
        return int(cursor.fetchone()[0])


class Items(api.API):
    @api.get("{id}")
    def one(self, id: int) -> dict[str, Any]:  # noqa: A002
        logger.info("looking for %s", id)
        return {"id": id, "label": self.request.id}

    @api.post("{id}")
    def take(self, id: int, data: bytes = request.Body) -> int:  # noqa: A002
        return len(data)


class RootAPI(api.API):
    items: Items

    @api.get
    def fails(self) -> None:
        raise ValueError("a secret text")

    @api.get
    def refused(self) -> None:
        raise exceptions.PermissionDenied("no")

    @api.get
    def number(self) -> int:
        return select(connections["default"])

    @api.get
    def waits(self) -> None:
        Path(os.environ["WAITING"]).write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(60)

    @api.get
    def pieces(self) -> Iterator[bytes]:
        for number in range(3):
            logger.info("piece %d", number)
            yield b"%d\n" % number


class AsyncAPI(RootAPI):
    @api.get
    async def awaited(self) -> str | None:
        logger.info("awaited")
        labels = current_labels.get()
        return None if labels is None else labels.id

    @api.get
    async def number_awaited(self) -> int:
        return await sync_to_async(lambda: select(connections["default"]))()

    @api.get
    async def sleeps(self) -> None:
        await asyncio.sleep(60)

    @api.get
    async def endless(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.05)

    @api.get
    async def flow(self) -> AsyncIterator[bytes]:
        for number in range(3):
            logger.info("piece %d", number)
            yield b"%d\n" % number

    @api.ws
    async def talk(self, socket: api.WebSocket[str, str]) -> None:
        async for text in socket:
            logger.info("heard %s", text)
            await socket.send(text.upper())
