"""`python -m thetabulk.simulator`: can stand in for the Java process, banner, signals and exit codes included."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from thetabulk.simulator.server import HOST, Simulator
from thetabulk.simulator.settings import SimulatorConfig, parse_arguments


async def serve(config: SimulatorConfig) -> int:
    """Runs until a signal or the shutdown call. 0, or 1 if the port is taken."""
    await asyncio.sleep(config.start_delay_s)
    simulator = Simulator(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt instead
            loop.add_signal_handler(number, simulator.stopped.set)
    try:
        await simulator.start()
    except OSError as error:
        _say(f"Failed to start Theta Terminal server. Address {HOST}:{config.port} already in use ({error})")
        return 1
    _say(f"thetabulk simulator: invented data, seed {config.seed}, size {config.size}")
    for line in simulator.account.banner(f"{HOST}:{simulator.port}"):
        _say(line)
    await simulator.stopped.wait()
    await simulator.stop()
    return 0


def _say(line: str) -> None:
    """Printed at once: whoever started this process waits for the line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    config = parse_arguments(sys.argv[1:] if argv is None else argv)
    with suppress(KeyboardInterrupt):
        return asyncio.run(serve(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
