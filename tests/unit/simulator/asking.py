"""A simulator in this process and someone who asks it, for the tests of this folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import aiohttp

from thetabulk.simulator.faults import parse_faults
from thetabulk.simulator.server import Simulator
from thetabulk.simulator.settings import SimulatorConfig

TODAY = date(2024, 9, 3)
DAY = "2024-08-02"
QUOTE, EOD, INTEREST = (f"/v3/option/history/{name}" for name in ("quote", "eod", "open_interest"))
CONTRACTS = "/v3/option/list/contracts/quote"
CHAIN_DAY = {"symbol": "QQQ", "expiration": "*", "date": DAY, "interval": "1h"}


@dataclass(frozen=True)
class Reply:
    """An answer, or with status 0 a connection that broke: `broken` names how, `body` is what came before."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    broken: str = ""

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """The fields of every row after the header, without quotes."""
        return [line.replace('"', "").split(",") for line in self.lines[1:]]

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """Expiration, strike and right of every row."""
        return [tuple(row[1:4]) for row in self.rows]


@dataclass(frozen=True)
class Asker:
    simulator: Simulator
    session: aiohttp.ClientSession

    async def get(self, path: str, **params: object) -> Reply:
        query = {name: str(value) for name, value in params.items()}
        body = b""
        try:
            async with self.session.get(self.simulator.url + path, params=query) as response:
                async for piece in response.content.iter_any():
                    body += piece
                return Reply(response.status, body, dict(response.headers))
        except aiohttp.ClientError as error:
            return Reply(0, body, broken=type(error).__name__)

    async def chain_day(self, **changes: object) -> Reply:
        """QQQ on `DAY`, hourly, unless something else is said."""
        return await self.get(QUOTE, **{**CHAIN_DAY, **changes})


@asynccontextmanager
async def asking(faults: str = "", **settings: Any) -> AsyncIterator[Asker]:
    config = SimulatorConfig(**{"today": TODAY, "faults": parse_faults(faults), **settings})
    async with Simulator(config) as simulator, aiohttp.ClientSession() as session:
        session._retry_connection = False  # aiohttp asks once more by itself when a connection breaks before the answer
        yield Asker(simulator, session)
