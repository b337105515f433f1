"""Signals to this very process: who hears them, and what they end."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from thetabulk.assembly.signals import heard, until_told

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to send to oneself")


async def test_the_innermost_block_hears_and_then_the_one_around_it_again() -> None:
    """A run within a managed run: nothing falls between the two, and afterwards all is as it was."""
    before = signal.getsignal(signal.SIGTERM)
    told: list[str] = []
    with heard(lambda number: told.append(f"outer {number.name}")):
        with heard(lambda number: told.append(f"inner {number.name}")):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
    assert told == ["inner SIGTERM", "outer SIGHUP"]
    assert signal.getsignal(signal.SIGTERM) is before


async def test_work_that_is_told_to_end_tidies_up_undisturbed() -> None:
    """The first signal cancels it, a second one does not cut its tidying short; 128 + the first one's number."""
    tidied = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
            tidied.append("all of it")
        return 0

    assert await until_told(work()) == 128 + signal.SIGTERM
    assert tidied == ["all of it"]


async def test_work_without_a_signal_says_how_it_ended() -> None:
    """Its own exit code; a cancellation from elsewhere is passed on."""

    async def work() -> int:
        return 3

    assert await until_told(work()) == 3
    waiting = asyncio.ensure_future(until_told(_for_ever()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def _for_ever() -> int:
    await asyncio.Event().wait()
    return 0


def test_the_third_press_leaves_at_once() -> None:
    """Whatever still tidies up: the next start sees to it."""
    program = (
        "import asyncio, os, signal\n"
        "from thetabulk.assembly.signals import until_told\n"
        "async def work():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        await asyncio.sleep(60)\n"
        "    finally:\n"
        "        for _ in range(2):\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            await asyncio.sleep(0.05)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(until_told(work()))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30, check=False).returncode == 130
