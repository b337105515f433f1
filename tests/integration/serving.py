"""A simulator in a thread of this process: its log of requests can be looked at while it serves."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from thetabulk.simulator.server import LoggedRequest, Simulator
from thetabulk.simulator.settings import parse_arguments

_PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Served:
    """A simulator that serves at `url`."""

    inner: Simulator

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def data_requests(self) -> list[LoggedRequest]:
        """The whole chain-days that were asked for: neither lists nor probes."""
        return [each for each in self.asked_for("/history/") if each.params.get("expiration") == "*"]

    def asked_for(self, part_of_path: str) -> list[LoggedRequest]:
        return [each for each in self.inner.requests if part_of_path in each.path]

    def days(self) -> list[str]:
        """The days of the chain-days, as often as they were asked for."""
        return [each.params.get("date") or each.params["start_date"] for each in self.data_requests]


@contextmanager
def serving(*arguments: str) -> Iterator[Served]:
    """Takes the arguments of `python -m thetabulk.simulator`; any free port, unless they say which."""
    up = threading.Event()
    found: list[tuple[Simulator, asyncio.AbstractEventLoop]] = []

    async def serve() -> None:
        async with Simulator(parse_arguments(["--port", "0", *arguments])) as simulator:
            found.append((simulator, asyncio.get_running_loop()))
            up.set()
            await simulator.stopped.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert up.wait(_PATIENCE_S), "the simulator did not start"
    simulator, loop = found[0]
    try:
        yield Served(simulator)
    finally:
        loop.call_soon_threadsafe(simulator.stopped.set)
        thread.join(_PATIENCE_S)
        assert not thread.is_alive(), "the simulator did not stop"
