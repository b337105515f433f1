"""What a run left in the store, against what the vendor has."""

from datetime import date
from pathlib import Path

from tests.chaos.reconciled import at_home
from tests.chaos.simulation.run import World
from tests.cli.small_store import HOURLY, reading
from thetabulk.assembly.stores import Store
from thetabulk.model import Boundary, Empty, Failed, Outcome, Proof, Refused, Saved, Shard
from thetabulk.plan.datasets import dataset
from thetabulk.store.weighing import stored_body

BEYOND = {"vendor": "empty", "tier": "refused"}


def lies(world: World) -> list[str]:
    """Whatever has happened, and however the run has ended: nothing in the store says what is not so."""
    if not (world.store / "thetabulk.json").exists():
        return []
    with at_home(world.home), reading(world.store) as store:
        found = [text for shard, entry in store.ledger.days.items() if (text := _lie(world, store, entry.outcome))]
        found += [text for boundary in store.boundaries if (text := _false_boundary(world, boundary))]
        return found + [f"damaged line in the ledger: {line.text[:80]}" for line in store.ledger.damaged]


def unfinished(world: World) -> list[str]:
    """The days that have not ended as they have to, in fair weather, and what is left lying about."""
    with at_home(world.home), reading(world.store) as store:
        found = [text for day in world.truth.kinds if (text := _wrong_end(world, store, day))]
        return found + [f"left behind: {path.name}" for path in (world.store / ".thetabulk/tmp").iterdir()]


def expected_code(world: World) -> int:
    """Of a run in fair weather."""
    ends = {world.truth.ends_as(day) for day in world.truth.kinds}
    return 3 if "incomplete" in ends else 7 if "refused" in ends else 0


def _lie(world: World, store: Store, outcome: Outcome) -> str:
    day, kind = outcome.shard.day, world.truth.kind(outcome.shard.day)
    if isinstance(outcome, Empty) and kind != "empty":
        return f"{day} is called empty, and is {kind}"
    if isinstance(outcome, Refused) and kind != "refused":
        return f"{day} is called refused, and is {kind}"
    if isinstance(outcome, Saved):
        return _false_saved(world, store, outcome)
    return ""


def _false_saved(world: World, store: Store, saved: Saved) -> str:
    day = saved.shard.day
    path: Path = store.file_of(saved.shard)
    if not path.exists():
        return f"{day} is called saved, and there is no file"
    printed = b"".join(stored_body(path, dataset(HOURLY.dataset), store.format))
    truly = sorted(world.truth.body(day, 2).splitlines())
    if sorted(printed.splitlines()) == truly and (saved.proof is not Proof.FULL or world.truth.ends_as(day) == "saved"):
        return ""
    if saved.proof is Proof.NO_CONTRACT_LIST and set(printed.splitlines()) < set(truly):
        return ""  # a cut between two contracts shows in nothing else, and nobody calls this day proven
    return f"{day} ({world.truth.kind(day)}) is saved with proof {saved.proof}, and is not what the vendor has"


def _false_boundary(world: World, boundary: Boundary) -> str:
    older = [day for day in world.truth.kinds if boundary.day is not None and day < boundary.day]
    wrong = [day for day in older if world.truth.kind(day) != BEYOND[boundary.kind]]
    return f"a boundary at {boundary.day}, and {min(wrong)} is {world.truth.kind(min(wrong))}" if wrong else ""


def _wrong_end(world: World, store: Store, day: date) -> str:
    entry, wanted = store.ledger.days.get(Shard(HOURLY, day)), world.truth.ends_as(day)
    if entry is None:
        kinds = [BEYOND[one.kind] for one in store.boundaries if one.day is not None and day < one.day]
        return "" if wanted in kinds else f"{day} is {wanted}, and nothing is recorded of it"
    outcome = entry.outcome
    ended = {Empty: "empty", Refused: "refused", Failed: "failed"}.get(type(outcome), "saved")
    if isinstance(outcome, Saved) and outcome.proof is not Proof.FULL:
        ended = str(outcome.proof)
    if isinstance(outcome, Failed):
        ended = outcome.kind if outcome.kept else f"failed ({outcome.kind}: {outcome.message})"
    return "" if ended == wanted else f"{day} is {wanted}, and has ended as {ended}"
