"""A server that sends exactly the bytes it is told to, right or wrong, and a way to run a coroutine in a test."""

import asyncio
import functools
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec

P = ParamSpec("P")
Script = Callable[["Wire"], Awaitable[None]]


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in a loop of its own, for at most 20 seconds."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 20))

    return run


class Wire:
    """One accepted connection. `requests` counts them over all connections of the server, from 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: "RawServer") -> None:
        self._reader = reader
        self._writer = writer
        self._server = server
        self.head = ""

    async def request(self) -> bool:
        """Read one request's head; False if the client has gone."""
        try:
            self.head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        self._server.heads.append(self.head)
        return True

    async def send(self, *parts: bytes) -> None:
        """Each part on its own, so that it arrives on its own."""
        for part in parts:
            self._writer.write(part)
            await self._writer.drain()
            await asyncio.sleep(0)

    def reset(self) -> None:
        """End with RST instead of FIN."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def until_the_client_goes(self) -> None:
        await self._reader.read()

    async def close(self) -> None:
        self._writer.close()


class RawServer:
    """Runs one script per connection; a connection is closed when its script ends."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.heads: list[str] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._script(Wire(reader, writer, self))
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[RawServer]:
    """A server on a free port of 127.0.0.1; `url` is its base URL."""
    raw = RawServer(script)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()


def answer(*parts: bytes) -> Script:
    """A script that sends these parts to every request of a connection, and closes after the last."""

    async def script(wire: Wire) -> None:
        while await wire.request():
            await wire.send(*parts)
            if b"content-length" not in parts[0].lower() and b"chunked" not in parts[0].lower():
                return

    return script


def answer_and_close(*parts: bytes) -> Script:
    """A script that sends these parts once, and closes."""

    async def script(wire: Wire) -> None:
        if await wire.request():
            await wire.send(*parts)

    return script


def head(status: str = "200 OK", *headers: str) -> bytes:
    """The head of an answer."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1")


def sized(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer with a Content-Length."""
    return head(status, f"Content-Length: {len(body)}", *headers) + body


def chunk(body: bytes) -> bytes:
    """One HTTP chunk; the last one is that of an empty body."""
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


CHUNKED = head("200 OK", "Transfer-Encoding: chunked")
END = chunk(b"")
