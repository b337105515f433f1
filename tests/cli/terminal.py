"""A simulator beside the test, on a loop of its own: the commands under test run a loop themselves."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from thetabulk.simulator.server import Simulator
from thetabulk.simulator.settings import SimulatorConfig


@contextmanager
def simulated_terminal(config: SimulatorConfig | None = None) -> Iterator[Simulator]:
    """Serves from here to the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    simulator = Simulator(config)
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(10)
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
