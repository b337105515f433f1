"""The drive is blamed only when it is busy nearly all the time, and not for ever."""

import asyncio

from tests.virtual_time import in_virtual_time, now
from thetabulk.assembly.drive_pace import DrivePace
from thetabulk.assembly.pulse import Pulse
from thetabulk.events import DriveBusy, Event
from thetabulk.fetch.breaker import Breaker
from thetabulk.fetch.gate import Gate
from thetabulk.fetch.limit import Limit


class Drive:
    def __init__(self) -> None:
        self.now = self.busy = 0.0
        self.events: list[Event] = []
        self.pace = DrivePace(lambda: self.busy, lambda: self.now, self.events.append)

    def lasts(self, seconds: int, share: float) -> None:
        for _ in range(seconds):
            self.now += 1.0
            self.busy += share
            self.pace.look()


def test_a_drive_that_is_busy_all_the_time_is_told_once_and_when_it_is_over() -> None:
    drive = Drive()
    drive.lasts(60, 0.9)
    assert drive.events == [DriveBusy(0.9)]
    drive.lasts(60, 0.1)
    assert [event.over for event in drive.events if isinstance(event, DriveBusy)] == [False, True]


def test_a_drive_with_room_is_never_blamed() -> None:
    """Nor one that has to write a lot for a moment."""
    drive = Drive()
    for _ in range(10):
        drive.lasts(5, 1.0)
        drive.lasts(10, 0.3)
    assert not drive.events


def test_nothing_is_said_of_the_first_seconds() -> None:
    drive = Drive()
    drive.lasts(9, 1.0)
    assert not drive.events


def test_a_drive_between_both_is_left_as_it_was_told() -> None:
    """No coming and going around one threshold."""
    drive = Drive()
    drive.lasts(30, 0.85)
    drive.lasts(60, 0.6)
    assert len(drive.events) == 1


@in_virtual_time
async def test_the_pulse_of_a_run_looks_once_a_second() -> None:
    """A drive that nobody looks at is blamed by nobody."""
    events: list[Event] = []
    limit = Limit(1, 12)
    pulse = Pulse(
        limit, Gate((limit.limit,), launch_gap_s=0.0, now=now), Breaker(), emit=events.append, pause_limit_s=3600.0,
        monotonic=now, memory_percent=lambda: 40.0, also=DrivePace(now, now, events.append).look,
    )  # fmt: skip
    running = asyncio.ensure_future(pulse.run())
    await asyncio.sleep(9.5)
    assert not events
    await asyncio.sleep(2)
    running.cancel()
    assert events == [DriveBusy(1.0)]
