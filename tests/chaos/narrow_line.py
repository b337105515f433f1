"""A line between us and the Terminal that takes only so many bytes a second, all connections together."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE_BYTES = 8_192


class Line:
    """A relay in a thread of its own. `bytes_per_s` may change while it is at work."""

    def __init__(self, url: str, bytes_per_s: float) -> None:
        self._target = urlsplit(url)
        self.bytes_per_s = bytes_per_s
        self.url = ""
        self._free_at = 0.0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _connected(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection(self._target.hostname, self._target.port)
        asking = asyncio.ensure_future(self._pass_on(near, to_far, narrow=False))
        await self._pass_on(far, to_near, narrow=True)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, narrow: bool) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(_PIECE_BYTES):
                if narrow:
                    await self._wait_for(len(piece))
                target.write(piece)
                await target.drain()
        target.close()

    async def _wait_for(self, count: int) -> None:
        now = self._loop.time()
        self._free_at = max(now, self._free_at) + count / self.bytes_per_s
        await asyncio.sleep(self._free_at - now)

    @contextmanager
    def open(self) -> Iterator["Line"]:
        self._thread.start()
        self._ready.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
