"""The process that stands in for the Terminal's."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "thetabulk.simulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def address(started: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Where it listens, and everything said before."""
    assert started.stdout is not None
    said = []
    for line in started.stdout:
        said.append(line.strip())
        if line.startswith("Starting server at "):
            return line.split()[-1], said
    raise AssertionError(said)


async def test_the_banner_tells_the_subscription_and_where_it_listens() -> None:
    """And the shutdown call ends it with 0."""
    with process("--port", "0", "--tier", "value", "--today", "2024-09-03") as started:
        where, said = address(started)
        assert "Subscriptions: Stock: FREE Options: VALUE Index: FREE Rate: FREE" in said
        assert "Max concurrent requests: 2" in said
        assert where.startswith("127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{where}/v3/calendar/today") as response:
                assert await response.text() == 'type,open,close\n"open","09:30:00","16:00:00"\n'
            async with session.get(f"http://{where}/v3/terminal/shutdown") as response:
                assert await response.text() == "OK"
        assert started.wait(10) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Exit 0, no traceback."""
    with process("--port", "0") as started:
        address(started)
        started.send_signal(number)
        assert started.stdout is not None
        assert started.stdout.read() == ""
        assert started.wait(10) == 0


def test_a_taken_port_is_said_in_the_terminals_words() -> None:
    """Exit 1, at once."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with process("--port", str(port)) as started:
            said = started.communicate(timeout=20)[0]
    assert f"Failed to start Theta Terminal server. Address 127.0.0.1:{port} already in use" in said
    assert started.returncode == 1
