"""The feeder on its own; its part in a stream is in test_client.py."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.fetch.raw_server import in_a_loop
from thetabulk.errors import BadAnswer, TransferFailed
from thetabulk.fetch.feeder import Feeder


def refuse(batch: bytes) -> None:
    """A parser that likes nothing."""
    raise BadAnswer("not our header", kind="header")


@in_a_loop
async def test_a_failure_is_told_by_the_next_piece_not_only_by_the_next_batch() -> None:
    """On a slow stream the next batch may be minutes away."""
    with ThreadPoolExecutor(1) as executor:
        async with Feeder(refuse, 10, executor) as feeder:
            await feeder.add(b"x" * 10)
            executor.submit(lambda: None).result()  # the only worker is free again: the job has failed
            await asyncio.sleep(0.01)  # and the loop has heard of it
            with pytest.raises(BadAnswer):
                await feeder.add(b"x")


@in_a_loop
async def test_batches_hold_all_pieces_in_order() -> None:
    """The last is what is left over."""
    batches: list[bytes] = []
    with ThreadPoolExecutor(1) as executor:
        async with Feeder(batches.append, 4, executor) as feeder:
            for piece in (b"a", b"bc", b"de", b"f", b"ghijklmnop", b"q"):
                await feeder.add(piece)
            await feeder.finish()
    assert batches == [b"abcde", b"fghijklmnop", b"q"]


@in_a_loop
async def test_a_block_that_fails_for_its_own_reasons_keeps_them() -> None:
    """Only a failed attempt gives way to what the parser saw; what was not handed over is dropped."""
    batches: list[bytes] = []

    async def fail(feeder: Feeder, error: Exception) -> None:
        async with feeder:
            await feeder.add(b"abcd")
            await feeder.add(b"e")
            raise error

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(TransferFailed):
            await fail(Feeder(batches.append, 4, executor), TransferFailed("cut", kind="cut"))
        with pytest.raises(ZeroDivisionError):
            await fail(Feeder(refuse, 5, executor), ZeroDivisionError())
    assert batches == [b"abcd"]
