"""Ledger, store and start-up against a hundred-line idea of them: whatever is recorded, crashes, tears, rots, is
deleted, edited or put back, in whatever order, both come to the same end."""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

import hypothesis.core
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import thetabulk.ledger.journal
from tests.chaos.figures import Figures
from tests.chaos.reconciled import at_home
from tests.chaos.reference import DAMAGED, ENDED, Reference
from tests.cli.small_store import AT, DAYS, HOURLY, answer, contract_list, make, writing
from thetabulk.assembly import checks
from thetabulk.assembly.checks import Depth
from thetabulk.assembly.parts import Grids
from thetabulk.assembly.reconciling import reconcile_store
from thetabulk.assembly.stores import Store
from thetabulk.model import Asked, Empty, Failed, Outcome, Saved, Shard
from thetabulk.plan.calendar import Calendar
from thetabulk.plan.datasets import dataset, grid_of
from thetabulk.store.recording import Manner, Recording

STEPS = 40
_GRIDS = Grids(Calendar.load())
_SHARDS = [Shard(HOURLY, day) for day in DAYS]
_VERSIONS = "ab"
_MEMORY = Path("/dev/shm")
days = st.integers(0, len(DAYS) - 1)
versions = st.sampled_from(_VERSIONS)


def body(day: int, version: str) -> bytes:
    """Two versions of a day, of one length, so that only their bytes tell them apart."""
    whole = answer(_SHARDS[day])
    return whole if version == "a" else whole.replace(b",9.99,", b",9.98,", 1)


class StoreMachine(RuleBasedStateMachine):
    """`steps` counts what was done, over all machines."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.model = Reference()
        self.home = Path(mkdtemp(prefix="machine-", dir=_MEMORY if _MEMORY.is_dir() else None))
        self.store: Store | None = None
        self._times = count(1_700_000_000, 1_000)
        self._stack, self._opened = ExitStack(), ExitStack()
        self._stack.enter_context(at_home(self.home))
        self._stack.enter_context(patch.object(thetabulk.ledger.journal, "COMPACT_LINES", 6))

    @initialize()
    def begin(self) -> None:
        make(self.home / "store", "csv")
        self._open()
        for day in DAYS:
            self._store.lists.keep(HOURLY.symbol, day, contract_list(HOURLY.symbol))

    def teardown(self) -> None:
        self._opened.close()
        self._stack.close()
        shutil.rmtree(self.home)

    # What a run does: a day that is saved is never asked for again

    @rule(day=days, version=versions)
    def save(self, day: int, version: str) -> None:
        if not self.model.is_saved(day):
            self._store.ledger.record(self._commit(day, version), AT)
            self.model.note(day, version)

    @rule(day=days, kind=st.sampled_from(ENDED))
    def fail(self, day: int, kind: str) -> None:
        if not self.model.is_saved(day):
            asked = Asked("the request")
            failed = Failed(_SHARDS[day], asked, "cut", "why")
            self._store.ledger.record(failed if kind == "failed" else Empty(_SHARDS[day], asked, since=AT), AT)
            self.model.note(day, kind)

    @rule(day=days, version=versions)
    def crash_before_the_line(self, day: int, version: str) -> None:
        """The file is in place, the power goes."""
        if not self.model.is_saved(day):
            self._commit(day, version)
            self.start_again()

    @rule(day=days, version=versions, kept=st.floats(0, 1, exclude_max=True))
    def crash_in_the_line(self, day: int, version: str, kept: float) -> None:
        """The file is in place, and some of its line."""
        if self.model.is_saved(day):
            return
        saved, before = self._commit(day, version), self._ledger.stat().st_size
        self._store.ledger.record(saved, AT)
        line = self._ledger.stat().st_size - before
        self._opened.close()
        os.truncate(self._ledger, before + int((line - 1) * kept))
        self.start_again()

    @rule()
    def start_again(self) -> None:
        """Clean or not: the lock goes with whoever held it, and every line is on the drive."""
        self._opened.close()
        self._open()

    # What happens to a store

    @rule(day=days)
    def delete(self, day: int) -> None:
        if day in self.model.files:
            self._path(day).unlink()
            self.model.delete(day)

    @rule(day=days, version=versions)
    def put_back(self, day: int, version: str) -> None:
        """From a backup: whole, of whichever version."""
        self._overwrite(day, body(day, version))
        self.model.overwrite(day, version)

    @rule(day=days, longer=st.booleans())
    def edit(self, day: int, longer: bool) -> None:
        """A byte is another one, or there is one more."""
        if day in self.model.files:
            content = self._path(day).read_bytes()
            same_size = self.model.files[day].same_size and not longer
            self._overwrite(day, content + b"," if longer else b"#" + content[1:])
            self.model.overwrite(day, DAMAGED, same_size=same_size)

    @rule(day=days)
    def rot(self, day: int) -> None:
        """A bit flips in a good file; size and time are what they were."""
        if day in self.model.files and self.model.files[day].content != DAMAGED:
            path = self._path(day)
            facts, content = path.stat(), bytearray(path.read_bytes())
            content[0] ^= 1
            path.write_bytes(content)
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            self.model.rot(day)

    @rule(day=days, bit=st.integers(0, 7))
    def flip_in_the_ledger(self, day: int, bit: int) -> None:
        """In the checksum of a day's newest line, so that it is plain whose line it was."""
        if day not in self.model.records:
            return
        self._opened.close()
        lines = self._ledger.read_bytes().splitlines(keepends=True)
        mark = f'"day":"{DAYS[day]}"'.encode()
        number = max(number for number, line in enumerate(lines) if mark in line)
        content = bytearray(lines[number])
        content[-6] ^= 1 << bit
        self._ledger.write_bytes(b"".join([*lines[:number], bytes(content), *lines[number + 1 :]]))
        self.model.lose_the_line(day)
        self._open()

    # What has to be true

    @rule()
    def verify(self) -> None:
        for day, shard in enumerate(_SHARDS):
            entry = self._store.ledger.days.get(shard)
            if entry is not None and isinstance(entry.outcome, Saved):
                seen, _ = checks.look_at(self._store, entry.outcome, Depth.FULL, _GRIDS)
                assert (seen if seen in ("missing", "damaged") else "good") == self.model.look(day)

    @invariant()
    def both_say_the_same(self) -> None:
        StoreMachine.steps += 1
        if self.store is None:
            return
        assert {day: self._said(day) for day in range(len(DAYS)) if self._said(day)} == self.model.records
        assert {day for day in range(len(DAYS)) if self._path(day).exists()} == set(self.model.files)
        quarantine = self.home / "store/.thetabulk/quarantine"
        assert sum(path.is_file() for path in quarantine.rglob("*")) == self.model.evidence

    # The means

    @property
    def _store(self) -> Store:
        assert self.store is not None
        return self.store

    @property
    def _ledger(self) -> Path:
        return self.home / "store/.thetabulk/ledger.jsonl"

    def _path(self, day: int) -> Path:
        return self._store.file_of(_SHARDS[day])

    def _open(self) -> None:
        self.store = self._opened.enter_context(writing(self.home / "store"))
        reconcile_store(self.store, _SHARDS, _GRIDS)
        self.model.start()

    def _said(self, day: int) -> str:
        entry = self._store.ledger.days.get(_SHARDS[day])
        outcome: Outcome | None = entry.outcome if entry else None
        if isinstance(outcome, Saved):
            return next(one for one in _VERSIONS if sha256(body(day, one)).hexdigest() == outcome.sha256)
        return "" if outcome is None else "failed" if isinstance(outcome, Failed) else "empty"

    def _commit(self, day: int, version: str) -> Saved:
        """As the fetcher does, up to the ledger's line."""
        shard, kind = _SHARDS[day], dataset(HOURLY.dataset)
        grids, store = grid_of(kind, half_day=False), self._store
        one = Recording(shard, kind, "the request", grids, Manner("csv"), lambda: store.day_part(shard))
        one.feed(body(day, version))
        weighed = one.weigh(store.lists.read(shard.symbol, shard.day), "")
        done = one.commit(store.path_of(shard))
        self.model.commit(day, version)
        return Saved(
            shard, Asked("the request"), weighed.proof, weighed.rows, weighed.contracts, done.bytes, done.mtime_ns,
            done.sha256, weighed.vendor_bytes, weighed.vendor_xxh3, weighed.content, weighed.remarks,
        )  # fmt: skip

    def _overwrite(self, day: int, content: bytes) -> None:
        path, moment = self._path(day), next(self._times)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (moment, moment))


def run_machines(examples: int, seed: int, monkeypatch: pytest.MonkeyPatch, *, shrink: bool = True) -> int:
    """So many machines of up to 40 steps; how many steps in all. AssertionError where the two disagree, with the
    shortest way there that is found."""
    phases = [phase for phase in Phase if shrink or phase is not Phase.shrink]
    monkeypatch.setattr(hypothesis.core, "global_force_seed", seed)
    monkeypatch.setattr(StoreMachine, "steps", 0)
    run_state_machine_as_test(
        StoreMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None,
            phases=phases, suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    return StoreMachine.steps


def test_the_store_behaves_as_its_reference(
    seed: int, times: Callable[[int, int], int], figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, crash, tear, rot, delete, edit, put back, flip, compact and start again, in any order."""
    steps = run_machines(times(100, 1_500), seed, monkeypatch)
    figures.add("steps of ledger and store against their reference", steps, 0, seed, "steps")
    assert steps > 0
