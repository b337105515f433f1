"""Whole runs in virtual time, by seed: whatever the weather, every run ends, nothing that is not so is recorded, and in
the next fair weather every day has come to its right end. Fault rows C12 to C15, B1, B9."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import pytest

from tests.chaos.figures import Figures
from tests.chaos.simulation.judgement import expected_code, lies, unfinished
from tests.chaos.simulation.run import BEGINNING, World, asked_between
from tests.chaos.simulation.truth import Truth, truth
from tests.chaos.simulation.weather import OUTAGES, Spell, Weather, weather
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
    """Outages, storms, stalls, wrong bodies, a drive that goes and comes, a disk that fills, a machine that sleeps. The
    one run that went wrong is seen again with its own number: `--seed NUMBER --scale 0.001`."""
    count, found = times(300, 10_000), list[str]()
    for number in range(seed, seed + count):
        found = [f"seed {number}: {text}" for text in simulate(workshop / f"{number}", number)]
        if found:
            break
        shutil.rmtree(workshop / f"{number}")
    figures.add("simulated runs", number + 1 - seed, len(found), seed, "runs")
    assert not found, "\n".join(found[:10])


@pytest.mark.parametrize("held_as", dict.fromkeys(_FORMATS))
def test_the_judge_sees_what_is_not_so(held_as: str, workshop: Path) -> None:
    """The vendor changes its mind after the run: whatever was recorded is a lie then, each in its own words."""
    days = sessions(9)
    kinds = dict(zip(days, ["empty", *["good"] * 4, "surplus", "lacking", "good", "good"], strict=True))
    world = World(workshop / "home", Truth(kinds), Weather(), Random(0), {"store.format": held_as})
    assert world.run() == 3
    assert world.found + lies(world) + unfinished(world) == []
    told = []
    for day, kind in (days[0], "good"), (days[1], "lacking"), (days[2], "empty"), (days[5], "good"), (days[6], "good"):
        world.truth = Truth(kinds | {day: kind})
        told.append([text.split(" ", 1)[1] for text in [*lies(world), *unfinished(world)]])
    assert told == [
        ["is called empty, and is good", "is saved, and has ended as empty"],
        ["(lacking) is saved with proof full, and is not what the vendor has", "is incomplete, and has ended as saved"],
        ["(empty) is saved with proof full, and is not what the vendor has", "is empty, and has ended as saved"],
        ["(good) is saved with proof remarks, and is not what the vendor has", "is saved, and has ended as remarks"],
        ["is saved, and has ended as incomplete"],
    ]


def hour_of(kind: str, home: Path, dice: Random) -> tuple[int, list[str]]:
    """How many requests for data are made in an hour in which all of them fail, and what is wrong with the run."""
    days, start, end = sessions(120), 10.0, 3_610.0
    world = World(home, Truth(dict.fromkeys(days, "good")), Weather((Spell(kind, start, end),)), dice)
    code = world.run()
    found = world.found + lies(world) + unfinished(world)
    if code != 0 or world.passed_s < end:
        found.append(f"exit code {code} after {world.passed_s:.0f} s")
    return asked_between(world, start, end), found


@pytest.mark.parametrize("kind", OUTAGES)
def test_an_hour_of_total_outage_is_at_most_thirty_requests(
    kind: str, workshop: Path, seed: int, figures: Figures
) -> None:
    """Whatever fails: nobody there, refusals, time-outs, web pages. Afterwards every day is had by the same run."""
    asked, found = hour_of(kind, workshop / "home", Random(seed))
    print(f"{asked} requests for data in an hour: {kind}")  # noqa: T201
    figures.add("hours of outage with 30 requests or fewer", 1, len(found) + (asked > 30), seed, "kinds of outage")
    assert asked <= 30
    assert found == []


def test_with_three_of_ten_requests_failing_every_day_is_done(workshop: Path, seed: int, figures: Figures) -> None:
    """By the same run, with at most 1.6 requests a day: 1.43 is what chance asks for."""
    days = sessions(400)
    world = World(
        workshop / "home", Truth(dict.fromkeys(days, "good")), Weather(share=0.3, dice=Random(seed)), Random(seed)
    )
    code = world.run()
    asked = len(world.terminal.asked)
    found = world.found + lies(world) + unfinished(world) + ([] if code == 0 else [f"exit code {code}"])
    figures.add(
        "requests with 30 % failing", asked, len(found) + (asked > 1.6 * len(days)), seed, "requests for 400 days"
    )
    assert found == []
    assert asked <= 1.6 * len(days)


def retries(home: Path, dice: Random) -> tuple[int, int]:
    """Days, and requests beyond the first for each, before the first further round, with more than half failing."""
    days = sessions(200)
    weather = Weather(share=0.55, accidents=("500", "cut"), dice=dice)
    world = World(home, Truth(dict.fromkeys(days, "good")), weather, dice, {"run.rounds": 0})
    world.run()
    return len(days), len(world.terminal.asked) - len(days)


def test_retries_are_at_most_half_of_the_days_asked_for(workshop: Path, seed: int) -> None:
    """And ten more; the other failures wait for the next round."""
    days, again = retries(workshop / "home", Random(seed))
    assert days / 4 < again <= days / 2 + 10


def test_the_same_seed_is_the_same_run(workshop: Path) -> None:
    """To the millisecond of every request, or nothing could be replayed."""
    seen = []
    for number in range(2):
        dice = Random(9)
        world = World(workshop / f"{number}", truth(dice, sessions(30)), weather(dice), dice)
        world.run()
        seen.append(world.terminal.asked)
    assert seen[0] == seen[1]
    assert len(seen[0]) > 20
