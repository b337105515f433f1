"""Whole runs in virtual time, by seed: whatever the weather, every run ends, nothing that is not so is recorded, and in
the next fair weather every day has come to its right end. Fault rows C12 to C15, B1, B9."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

from tests.chaos.figures import Figures
from tests.chaos.simulation.judgement import expected_code, lies, unfinished
from tests.chaos.simulation.run import BEGINNING, World
from tests.chaos.simulation.truth import truth
from tests.chaos.simulation.weather import weather
from thetabulk.plan.calendar import Calendar

_CALENDAR = Calendar.load()
_FORMATS = ("csv", "csv", "csv.zst", "parquet")


def sessions(count: int) -> list[date]:
    return _CALENDAR.settled(BEGINNING)[-count:]


def simulate(home: Path, seed: int) -> list[str]:
    """A run in the weather of a seed, and two in fair weather; what is wrong."""
    dice = Random(seed)
    world = World(
        home, truth(dice, sessions(dice.randint(8, 40))), weather(dice), dice, {"store.format": dice.choice(_FORMATS)}
    )  # fmt: skip
    spells = bool(world.weather.spells)
    code = world.run()
    found = world.found + lies(world)
    if code not in (0, 3, 7) and not spells:
        found.append(f"exit code {code}")
    world.clears_up()
    for command in ("download", "resume"):
        code = world.run(command)
    found += lies(world) + unfinished(world)
    if code != expected_code(world):
        found.append(f"exit code {code} in fair weather, and not {expected_code(world)}")
    return list(dict.fromkeys(found))


def test_every_run_ends_and_every_day_comes_to_its_right_end(
    workshop: Path, seed: int, times: Callable[[int, int], int], figures: Figures
) -> None:
    """Outages, storms, stalls, wrong bodies, a drive that goes and comes, a disk that fills, a machine that sleeps."""
    count, found = times(300, 10_000), list[str]()
    for number in range(seed, seed + count):
        found = [f"seed {number}: {text}" for text in simulate(workshop / f"{number}", number)]
        if found:
            break
    figures.add("simulated runs", number + 1 - seed, len(found), seed, "runs")
    assert not found, "\n".join(found[:10])
