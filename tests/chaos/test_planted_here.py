"""Every bug that is planted in this process is seen, by the test that is there for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.chaos import planted_here
from tests.chaos.figures import Figures
from tests.chaos.lies import LIES
from tests.chaos.simulation.judgement import lies
from tests.chaos.simulation.run import World
from tests.chaos.simulation.truth import Truth
from tests.chaos.simulation.weather import Spell, Weather
from tests.chaos.test_damage_is_caught import try_losses
from tests.chaos.test_fuzzed_answers import fuzz
from tests.chaos.test_good_days_are_not_refused import try_days
from tests.chaos.test_lying_answers import try_lie, wrongly_accepted
from tests.chaos.test_simulated_runs import hour_of, retries, sessions
from tests.chaos.test_state_machine import run_machines
from tests.unit.store.recorded import Folder


@dataclass
class Hunt:
    folder: Path
    dice: Random
    monkeypatch: pytest.MonkeyPatch

    def by_retries(self) -> Iterator[str]:
        days, again = retries(self.folder / "home", self.dice)
        if again > days / 2 + 10:
            yield f"{again} retries of {days} days"

    def by_an_hour_of_outage(self) -> Iterator[str]:
        asked, _ = hour_of("500", self.folder / "home", self.dice)
        if asked > 30:
            yield f"{asked} requests in an hour of outage"

    def by_a_lost_connection(self) -> Iterator[str]:
        weather = Weather((Spell("disconnected, it says connected", 3, 100),), dice=self.dice)
        world = World(self.folder / "home", Truth(dict.fromkeys(sessions(60), "good")), weather, self.dice)
        world.run()
        yield from world.found

    def by_storms(self) -> Iterator[str]:
        """A run with failures and outages, whose every moment is watched."""
        for number in range(10):
            spells = (Spell("500", 3, 20), Spell("unreachable", 30, 50), Spell("cut", 60, 80))
            weather = Weather(spells, share=0.3, dice=self.dice)
            truth = Truth(dict.fromkeys(sessions(40), "good"))
            world = World(self.folder / f"{number}", truth, weather, self.dice, {"run.rounds": 1})
            world.run()
            yield from world.found + lies(world)

    def by_lies(self) -> Iterator[str]:
        for number, name in enumerate(("the header alone", "another day", "cut where a contract ends")):
            yield from wrongly_accepted(try_lie(self.folder / f"{number}", LIES[name], 99), LIES[name])

    def by_losses(self) -> Iterator[str]:
        yield from try_losses(Folder(self.folder), self.dice, 60)[1]

    def by_fuzzing(self) -> Iterator[str]:
        yield from fuzz(Folder(self.folder), self.dice, 600)[1]

    def by_odd_days(self) -> Iterator[str]:
        yield from try_days(Folder(self.folder), self.dice, 30)[1]

    def by_the_reference(self) -> Iterator[str]:
        try:
            run_machines(60, self.dice.randrange(10**6), self.monkeypatch, shrink=False)
        except AssertionError as error:
            yield f"they disagree: {error}"


SEEN: dict[str, tuple[Callable[[Hunt], Iterator[str]], str]] = {
    "retry_without_budget": (Hunt.by_retries, "retries of"),
    "no_breaker": (Hunt.by_an_hour_of_outage, "in an hour of outage"),
    "asked_during_a_pause": (Hunt.by_a_lost_connection, "although the run is paused"),
    "slot_held_during_back_off": (Hunt.by_storms, "holds its slot"),
    "limit_by_difference": (Hunt.by_storms, "in flight"),
    "failure_counted_as_empty": (Hunt.by_storms, "is called empty"),
    "header_only_as_empty": (Hunt.by_lies, "taken for Empty"),
    "wrong_day_accepted": (Hunt.by_lies, "saved, with proof full"),
    "last_contract_cut_accepted": (Hunt.by_losses, "saved at once"),
    "first_sight_is_enough": (Hunt.by_fuzzing, "taken for the whole day"),
    "every_doubt_refused": (Hunt.by_odd_days, "a good day was"),
    "printed_in_another_style": (Hunt.by_fuzzing, "does not print back"),
    "size_means_good": (Hunt.by_the_reference, "they disagree"),
}
"""Who sees it, and what is then said."""


@pytest.mark.parametrize("bug", SEEN)
def test_a_bug_planted_here_is_seen(
    bug: str, workshop: Path, seed: int, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red, as it should be: the count is of bugs, a violation is one that nobody saw."""
    hunt, said = SEEN[bug]
    planted_here.BUGS[bug](monkeypatch)
    seen = next((one for one in hunt(Hunt(workshop, Random(seed), monkeypatch)) if said in one), "")
    figures.add("planted bugs, answers and retries", 1, int(not seen), seed, "bugs")
    print(f"{bug}: {seen[:200]}")  # noqa: T201 - how it showed
    assert seen


def test_no_bug_planted_here_is_forgotten() -> None:
    """Each has a test that sees it."""
    assert set(planted_here.BUGS) == set(SEEN)
