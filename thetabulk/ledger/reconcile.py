"""What the ledger says × what the drive says -> what to do. Pure (the table of reliability.md §4.4).

Facts come from a `stat` of each exact path, never from a listing of a folder: macOS lists only a part of some exFAT
folders, and days that were there would be fetched again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from thetabulk.model import Entry, Saved, Shard

MTIME_GRAIN_NS = 2_000_000_000
"""FAT keeps times to 2 s, and a drive that changed machines may come back rounded."""

_MANY_MISSING = 10


class Action(Enum):
    """What start-up does about a day."""

    NOTHING = "nothing"  # no file, and none is claimed: the plan decides
    TRUST = "trust"  # recorded, and there: full hashes are `verify`'s
    ASK_AGAIN = "ask again"  # recorded as saved, and gone
    HASH = "hash"  # touched: `after_hash` decides
    RESTAMP = "restamp"  # the bytes are the recorded ones: record the new time
    QUARANTINE = "quarantine"  # other bytes than recorded: put aside, then ask again
    EXAMINE = "examine"  # a file without a record: valid ⇒ adopt, else quarantine; never delete


@dataclass(frozen=True, slots=True)
class FileFacts:
    size: int
    mtime_ns: int


def decide(entry: Entry | None, facts: FileFacts | None) -> Action:
    """The first answer, from the record and a `stat`."""
    saved = entry.outcome if entry is not None and isinstance(entry.outcome, Saved) else None
    if saved is None:
        return Action.EXAMINE if facts is not None else Action.NOTHING
    if facts is None:
        return Action.ASK_AGAIN
    if facts.size != saved.bytes:
        return Action.QUARANTINE  # no need to hash: other length, other bytes
    if abs(facts.mtime_ns - saved.mtime_ns) <= MTIME_GRAIN_NS:
        return Action.TRUST
    return Action.HASH


def after_hash(saved: Saved, sha256: str) -> Action:
    """The second answer, for HASH, from the file's sha256."""
    return Action.RESTAMP if sha256 == saved.sha256 else Action.QUARANTINE


@dataclass(frozen=True, slots=True)
class Findings:
    """What start-up found: the days that need more than trust, and how many are recorded as saved."""

    recorded: int
    actions: dict[Shard, Action]

    def with_action(self, action: Action) -> list[Shard]:
        return [shard for shard, one in self.actions.items() if one is action]

    @property
    def wrong_drive(self) -> bool:
        """More files are missing than a person deletes by hand: stop and ask. Over 1 %, and over ten."""
        missing = len(self.with_action(Action.ASK_AGAIN))
        return missing > _MANY_MISSING and missing * 100 > self.recorded


def reconcile(days: Iterable[tuple[Shard, Entry | None, FileFacts | None]]) -> Findings:
    """`decide` for every day of the ledger and the plan."""
    recorded = 0
    actions: dict[Shard, Action] = {}
    for shard, entry, facts in days:
        recorded += entry is not None and isinstance(entry.outcome, Saved)
        action = decide(entry, facts)
        if action not in {Action.NOTHING, Action.TRUST}:
            actions[shard] = action
    return Findings(recorded, actions)
