"""The mirror over TCP: one command a line.

    GET alpha      the report as JSON, or `none`
    LIST           the names, with spaces between
    QUIT
"""

import asyncio

from mirror import log
from mirror.store import Store


class Server:
    def __init__(self, store: Store, host: str = "127.0.0.1"):
        self._store = store
        self._host = host
        self._server = None
        self.port = 0
        self.served = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        try:
            while line := await reader.readline():
                words = line.decode().split()
                if words == ["QUIT"]:
                    break
                writer.write(await self._answer(words) + b"\n")
                await writer.drain()
        except ConnectionError as error:
            log.event("lost", error=type(error).__name__)
        finally:
            writer.close()

    async def _answer(self, words: list[str]) -> bytes:
        if words == ["LIST"]:
            return " ".join(await self._store.names()).encode()
        if len(words) == 2 and words[0] == "GET":
            report = await self._store.get(words[1])
            return report.to_bytes().rstrip() if report else b"none"
        return b"what?"


async def ask(host: str, port: int, *lines: str, limit: float = 5.0) -> list[str]:
    """Send the lines over one connection; the answers."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), limit)
    try:
        answers = []
        for line in lines:
            writer.write(line.encode() + b"\n")
            await writer.drain()
            answers.append((await asyncio.wait_for(reader.readline(), limit)).decode().rstrip("\n"))
        return answers
    finally:
        writer.close()
        await writer.wait_closed()
