"""Every golden answer becomes what expected.toml says (tests/golden/README.md)."""

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.store.answers import pieces
from tests.unit.store.recorded import TARGET, Folder
from thetabulk.errors import BadAnswer
from thetabulk.model import Collection, Contract, Dataset, Proof, Right, Shard
from thetabulk.plan.datasets import DATASETS, grid_of
from thetabulk.store.recording import Manner, Recording
from thetabulk.store.validate import Fate
from thetabulk.store.weighing import Weighed, Weighing, stored_body

GOLDEN = Path(__file__).parents[2] / "golden"
FATES = {
    "good": (Fate.SAVE, Fate.SAVE),
    "C": (Fate.SAVE, Fate.SAVE),
    "B surplus": (Fate.ASK_AGAIN, Fate.SAVE),
    "B lacking": (Fate.ASK_AGAIN, Fate.KEEP_ASIDE),
}
"""What becomes of the first answer, and of the same one again."""


@dataclass(frozen=True)
class Case:
    """An entry of expected.toml."""

    file: str
    dataset: str
    symbol: str
    day: date
    kind: str = ""
    rows: int = 0
    contracts: int = 0
    raw: int = 0
    findings: list[str] = field(default_factory=list)
    list_adds: list[str] = field(default_factory=list)
    list_lacks: list[str] = field(default_factory=list)
    half_day: bool = False
    extra_columns: bool = False
    class_: str = ""

    @property
    def body(self) -> bytes:
        return (GOLDEN / "answers" / self.file).read_bytes()

    @property
    def kind_of_data(self) -> Dataset:
        return DATASETS[self.dataset]

    @property
    def shard(self) -> Shard:
        return Shard(Collection(self.dataset, "", self.symbol), self.day)

    @property
    def grids(self) -> dict[int, str]:
        return grid_of(self.kind_of_data, self.half_day)

    def weighed(self, piece: int, earlier: str = "") -> Weighed:
        weighing = Weighing(self.shard, self.kind_of_data, self.grids, extra_columns=self.extra_columns)
        for data in pieces(self.body, piece):
            weighing.feed(data)
        weighing.finish()
        return weighing.weigh(self.listed(), earlier)

    def recording(self, folder: Folder, **manner: Any) -> Recording:
        how = Manner(extra_columns=self.extra_columns, **manner)
        return Recording(self.shard, self.kind_of_data, "", self.grids, how, folder.part)

    def listed(self) -> frozenset[Contract]:
        """The vendor's list: the contracts that came, and those by which it differs."""
        lines = self.body.decode().replace('"', "").splitlines()[1:]
        came = {contract(" ".join(line.split(",")[1:4])) for line in lines}
        return frozenset(came | set(map(contract, self.list_adds))) - set(map(contract, self.list_lacks))


def contract(text: str) -> Contract:
    """`2024-08-16 455 CALL`."""
    expiration, strike, right = text.split()
    rights = {"C": Right.CALL, "P": Right.PUT}
    return Contract(date.fromisoformat(expiration), round(float(strike) * 1000), rights[right[0]])


def cases() -> list[Case]:
    tables = tomllib.loads((GOLDEN / "expected.toml").read_text(encoding="utf-8"))["answer"]
    return [Case(**{name.replace("class", "class_"): value for name, value in table.items()}) for table in tables]


WHOLE = [pytest.param(case, id=f"{case.file}-{case.class_}") for case in cases() if case.class_ != "A"]
BROKEN = [pytest.param(case, id=case.file) for case in cases() if case.class_ == "A"]


def test_every_golden_file_is_described() -> None:
    """A file without an entry would test nothing."""
    files = {path.name for path in (GOLDEN / "answers").glob("*.csv")}
    readme = (GOLDEN / "README.md").read_text(encoding="utf-8")
    assert files == {case.file for case in cases()} == {name for name in files if f"`{name}`" in readme}


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_answer_is_judged_as_expected(case: Case) -> None:
    """Class, findings, counts and proof; a second, equal answer settles what the first left open."""
    first, second = FATES[case.class_]
    seen = case.weighed(65_536)
    assert (seen.fate, seen.rows, seen.contracts) == (first, case.rows, case.contracts)
    told = {"C": seen.findings.remarks, "B surplus": seen.findings.surplus, "B lacking": seen.findings.lacking}
    assert bool(seen.remarks) == (case.class_ != "good")
    assert case.class_ == "good" or case.findings[0] in "\n".join(told[case.class_])
    assert all(text in "\n".join(seen.remarks) for text in case.findings)
    again = case.weighed(1000, earlier=seen.content)
    assert again.fate is second
    full = case.class_ in ("good", "C") and not case.list_adds
    assert again.proof is (Proof.FULL if full else Proof.REMARKS)


@pytest.mark.parametrize("case", WHOLE)
@pytest.mark.parametrize("prices", ["double", "decimal"])
def test_a_whole_answer_prints_back(case: Case, prices: str, tmp_path: Path) -> None:
    """Byte by byte, and only the lines that are printed unlike the others keep their text."""
    folder = Folder(tmp_path)
    one = case.recording(folder, prices=prices, row_group_rows=8)
    for data in pieces(case.body, 333):
        one.feed(data)
    one.weigh(None, "")
    one.commit(TARGET, print_again=True)
    assert b"".join(stored_body(folder.path, case.kind_of_data, "parquet")) == case.body
    texts = pq.read_table(folder.path, columns=["_raw"])["_raw"]
    assert len(texts) - texts.null_count == case.raw


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("piece", [1, 65_536])
def test_a_broken_answer_is_refused(case: Case, piece: int, tmp_path: Path) -> None:
    """Of the kind expected, however it arrives, and nothing of it stays."""
    folder = Folder(tmp_path)
    one = case.recording(folder)
    with pytest.raises(BadAnswer) as told:
        for data in pieces(case.body, piece):
            one.feed(data)
        one.weigh(None, "")
    one.abort()
    assert told.value.kind == case.kind
    assert str(told.value).isprintable()
    assert folder.scratches == []
