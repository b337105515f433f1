"""Names that are two here and one elsewhere."""

from datetime import date
from pathlib import PurePosixPath

import pytest

from thetabulk.assembly.twins import twins
from thetabulk.model import Collection, Shard
from thetabulk.store.layout import data_path

SHARD = Shard(Collection("option/quote/1h", "", "SPK"), date(2024, 8, 2))
OURS = data_path(SHARD, "parquet")


@pytest.mark.parametrize(("ours", "theirs"), [("SPK-", "spk-"), ("SPK-", "SP\u212a-"), ("symbol=SPK", "Symbol=SPK")])
def test_case_and_composition_make_twins(ours: str, theirs: str) -> None:
    """The Kelvin sign is a K to every system that composes names (NFC)."""
    other = PurePosixPath(str(OURS).replace(ours, theirs))
    assert list(twins([OURS, other], {OURS: SHARD})) == [(other, SHARD)]


def test_what_is_ours_or_unlike_is_no_twin() -> None:
    """Nor is a day that is not recorded: its file is unknown in its own right."""
    others = [OURS.with_name("notes.txt"), OURS.with_name("SPK-2024-08-05.parquet"), OURS.with_suffix(".csv")]
    assert list(twins([OURS, *others], {OURS: SHARD})) == []
    assert list(twins([OURS], {})) == []
