"""The screen, letter for letter, as it is on 80 columns."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from tests.unit.report.events_of_a_run import empty, failed, run_started, saved, shard
from thetabulk.events import (
    AttemptFailed,
    BytesReceived,
    Checking,
    ChunkReached,
    DriveBusy,
    Incident,
    LimitChanged,
    Paused,
    RoundStarted,
    ShardFinished,
    ShardStarted,
    Stopping,
)
from thetabulk.report.drawing import draw
from thetabulk.report.tally import Tally


def on_screen(text: Text, width: int = 80) -> list[str]:
    """The lines that a terminal of this width shows."""
    console = Console(width=width, file=StringIO(), force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(text)
    return [line.rstrip() for line in capture.get().rstrip("\n").split("\n")]


SINCE = datetime(2024, 8, 2, 14, 2, tzinfo=UTC)


def incident(what: str, *you: str) -> Incident:
    """The run is stuck, for half a minute already."""
    return Incident("began", "drive-gone", True, what, SINCE, 30.0, 82, "looks again", 0.0, you)


def in_mid_run(source: str = "terminal") -> Tally:
    """46 s into a run: 20 days, one of them empty, two failed, four in flight."""
    tally = Tally()
    tally.add(run_started(source=source), 0.0)
    tally.add(ChunkReached(shard(0).collection, 1, 2, shard(0).day, shard(49).day), 0.0)
    tally.add(LimitChanged(4, "the account allows 4"), 0.0)
    for number in range(20):
        outcome = failed(number) if number in (6, 12) else empty(number) if number == 9 else saved(number)
        tally.add(BytesReceived(shard(number), 40_000_000), 2.0 * number)
        tally.add(ShardFinished(outcome), 2.0 * number + 1.0)
    tally.add(ShardStarted(shard(20)), 35.0)
    tally.add(BytesReceived(shard(20), 12_300_000), 40.0)
    tally.add(Checking(shard(20)), 45.0)
    tally.add(ShardStarted(shard(21)), 41.0)
    tally.add(BytesReceived(shard(21), 3_200_000), 44.0)
    tally.add(AttemptFailed(shard(22), 2, "cut", "the connection was cut", 4.0, last=False), 44.0)
    tally.add(ShardStarted(shard(23)), 45.0)
    return tally


def test_a_slow_drive_is_blamed_in_the_line_of_the_speed() -> None:
    """As long as it is the brake; the time left stays on the screen."""
    tally = in_mid_run()
    before = on_screen(draw(tally, 80, 46.0))
    tally.add(DriveBusy(0.93), 46.0)
    [speed] = [line for line in on_screen(draw(tally, 80, 46.0)) if "brake" in line]
    assert "/s, the drive is the brake · " in speed
    assert speed.endswith(" left")
    tally.add(DriveBusy(0.2, over=True), 46.0)
    assert on_screen(draw(tally, 80, 46.0)) == before


def test_something_is_shown_before_the_first_event() -> None:
    """The mark moves while libraries are loaded and the drive wakes up."""
    frames = {on_screen(draw(Tally(), 80, now / 8, opening="download QQQ: opening the store"))[0] for now in range(10)}
    assert len(frames) == 10
    assert {frame[1:] for frame in frames} == {" download QQQ: opening the store …"}


def test_the_start_of_a_run() -> None:
    """Nothing is done, and nothing is claimed."""
    tally = Tally()
    tally.add(run_started(), 0.0)
    assert on_screen(draw(tally, 80, 0.0)) == [
        "download QQQ option/quote/1m · 2016-08-04 … 2024-08-02",
        "store /Volumes/T7/options · keeping this machine awake",
        "tier standard (assumed) · workers 3–12 (account allows 4)",
        "⠋ looking at the first days",
        "░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0/100 days 0 %",
        "100 left · 12 days done before",
        "0 B/s · 0 B received · 0 s · time left: too early to say",
    ]


def test_the_middle_of_a_run() -> None:
    """What, where, who, how far, how fast, what is in flight, and the last thing worth knowing."""
    assert on_screen(draw(in_mid_run(), 80, 46.0, notable="QQQ 2024-07-21 failed (stalled): no byte for 180 s")) == [
        "download QQQ option/quote/1m · 2016-08-04 … 2024-08-02",
        "store /Volumes/T7/options · keeping this machine awake",
        "tier standard (assumed) · workers 4 of 3–12 (account allows 4)",
        "⠇ chunk 1/2 · 2024-08 … 2024-06",
        "██████████▒▚░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 18/100 days 18 %",
        "17 saved · 1 empty · 2 failed · 80 left · 12 days done before",
        "12.8 MB/s · 816 MB received · 46 s · 2–4 min left",
        "  QQQ 2024-07-13   12.3 MB        11 s  checking",
        "  QQQ 2024-07-12   3.20 MB         5 s  receiving",
        "  QQQ 2024-07-11                   2 s  to be asked again, attempt 2",
        "  QQQ 2024-07-10                   1 s  waiting",
        "QQQ 2024-07-21 failed (stalled): no byte for 180 s",
    ]


def test_simulated_data_are_called_so_in_plain_sight() -> None:
    """The first line ends with it."""
    first = on_screen(draw(in_mid_run(source="simulator"), 80, 46.0))[0]
    assert first == "download QQQ option/quote/1m · 2016-08-04 … 2024-08-02                 SIMULATED"


def test_an_incident_says_what_to_do() -> None:
    """What is wrong, since when, what comes next, and whether anybody is needed at the keyboard."""
    tally = in_mid_run()
    tally.add(Paused("DriveGone", "the drive /Volumes/T7 is not there", "plug it in again"), 46.0)
    tally.add(incident("the drive /Volumes/T7 is not there", "plug it in again"), 46.0)
    assert on_screen(draw(tally, 80, 106.0))[7:11] == [
        f"STUCK since {SINCE.astimezone():%H:%M}, for 1 min 30 s · 82 days wait",
        "what  the drive /Volumes/T7 is not there",
        "next  looks again",
        "you   plug it in again",
    ]


def test_days_that_end_during_an_incident_do_not_wait_for_its_end() -> None:
    """The number is that of now, as in the line of what is left."""
    tally = in_mid_run()
    tally.add(incident("what", "you"), 46.0)
    tally.add(ShardFinished(saved(20)), 47.0)
    [heading] = [line for line in on_screen(draw(tally, 80, 50.0)) if line.startswith("STUCK")]
    assert heading.endswith(" · 81 days wait")


def test_during_a_pause_only_what_moves_is_shown() -> None:
    """The others wait for its end, and would look like transfers that hang."""
    tally = in_mid_run()
    tally.add(Paused("DriveGone", "the drive is not there"), 46.0)
    shown = [line for line in on_screen(draw(tally, 80, 50.0)) if line.startswith("  QQQ")]
    assert [line.split()[-1] for line in shown] == ["checking", "receiving"]


def test_an_incident_that_is_over_is_not_shown() -> None:
    """The screen is as it was."""
    tally = in_mid_run()
    before = on_screen(draw(tally, 80, 50.0))
    tally.add(incident("what", "you"), 46.0)
    tally.add(replace(incident("what", "you"), state="ended"), 47.0)
    assert on_screen(draw(tally, 80, 50.0)) == before


def test_stopping_says_how_many_and_how_to_abort() -> None:
    """After the first Ctrl-C."""
    tally = in_mid_run()
    tally.add(Stopping("Ctrl-C", 4), 46.0)
    assert on_screen(draw(tally, 80, 46.0))[-1] == (
        "stopping (Ctrl-C): finishing 4 transfers in flight; Ctrl-C again stops now"
    )


def test_a_further_round_is_told_beside_the_chunk() -> None:
    """Failed days are asked again, and that is not a new chunk."""
    tally = in_mid_run()
    tally.add(RoundStarted(2, 1), 46.0)
    assert on_screen(draw(tally, 80, 0.0))[3] == "⠋ chunk 1/2 · 2024-08 … 2024-06 · round 2: 1 day asked again"


def test_many_transfers_do_not_flood_the_screen() -> None:
    """Twelve lines, and how many more there are."""
    tally = Tally()
    tally.add(run_started(), 0.0)
    for number in range(20):
        tally.add(ShardStarted(shard(number)), 0.0)
    assert on_screen(draw(tally, 80, 1.0))[-1] == "  and 8 more"


def test_a_terminal_without_unicode_gets_plain_letters() -> None:
    """Letter for letter: the columns stay where they are."""
    lines = on_screen(draw(in_mid_run(source="simulator"), 80, 46.0, unicode=False))
    assert all(line.isascii() for line in lines)
    assert lines[0].endswith(" SIMULATED")
    assert lines[4] == "##########-!................................................... 18/100 days 18 %"


@given(st.integers(60, 200), st.text(max_size=300), st.text(max_size=300))
def test_no_line_is_wider_than_the_terminal(width: int, store: str, message: str) -> None:
    """Long paths and long messages from elsewhere are cut, and cannot steer the terminal."""
    tally = in_mid_run()
    tally.add(run_started(store=store, source="simulator"), 0.0)
    tally.add(incident(message, message, message), 46.0)
    lines = draw(tally, width, 50.0, notable=message).plain.split("\n")
    assert max(map(len, lines)) <= width
    assert all(line.isprintable() for line in lines)
