"""One POST to somebody else: taken, or a reason without the secret in its address."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from thetabulk.fetch.webhook import post

SECRET = "/services/T0KEN-of-ours?key=abc"


class Server:
    """Answers with a status, after so many seconds."""

    def __init__(self, status: int, seconds: float) -> None:
        self.status, self.seconds = status, seconds
        self.taken: list[tuple[str, str, object]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.taken.append((request.method, request.headers["Content-Type"], json.loads(await request.text())))
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@asynccontextmanager
async def serving(status: int = 200, seconds: float = 0.0) -> AsyncIterator[Server]:
    server = Server(status, seconds)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}{SECRET}"
    try:
        yield server
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "problem"), [(200, ""), (204, ""), (302, "HTTP 302"), (404, "HTTP 404"), (500, "HTTP 500")]
)
async def test_a_document_is_posted_once_and_no_redirect_is_followed(status: int, problem: str) -> None:
    """As JSON; what is not a success is told by its status."""
    async with serving(status) as server:
        assert await post(server.url, {"cause": "drive-gone", "days_left": 3}, timeout_s=5) == problem
        assert server.taken == [("POST", "application/json", {"cause": "drive-gone", "days_left": 3})]


async def test_who_does_not_answer_is_left_alone_after_the_time_out() -> None:
    """And the reason has no secret in it."""
    async with serving(seconds=30.0) as server:
        began = asyncio.get_running_loop().time()
        assert await post(server.url, {}, timeout_s=0.2) == "no answer within 0.2 s"
        assert asyncio.get_running_loop().time() - began < 5


@pytest.mark.parametrize("url", [f"http://127.0.0.1:1{SECRET}", f"http://[half{SECRET}", f"http://host:99999{SECRET}"])
async def test_an_address_that_cannot_be_reached_is_told_without_itself(url: str) -> None:
    """Chat services keep a token in the path."""
    problem = await post(url, {}, timeout_s=5)
    assert problem
    assert "T0KEN" not in problem
    assert "key" not in problem
