"""A day that was asked for in parts is stored as the one body that the parts would have been."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import HOURLY, LIVE, chain, pieces, quotes
from tests.unit.store.recorded import TARGET, Folder, record, recording
from thetabulk.errors import BadAnswer
from thetabulk.store.printing import vendor_csv
from thetabulk.store.recording import Manner, Recording

ROWS = quotes(chain(20))
BODY = LIVE.body(HOURLY, ROWS)
HEADER = BODY[: BODY.index(b"\n") + 1]
LINES = BODY[len(HEADER) :].splitlines(keepends=True)


def fed(one: Recording, bodies: list[bytes], piece: int) -> Recording:
    for number, body in enumerate(bodies):
        if number:
            one.next_part()
        for data in pieces(body, piece):
            one.feed(data)
    return one


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, len(LINES) - 1), min_size=1, max_size=4, unique=True), st.integers(1, 900), st.booleans()
)  # fmt: skip
def test_parts_make_the_same_file_as_the_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], piece: int, ends_cut_off: bool
) -> None:
    """However it is divided, in whatever pieces it comes, also if parts lack their last line end: one header, every row
    once, and the whole prints back."""
    tmp_path = tmp_path_factory.mktemp("parts")
    edges = [0, *sorted(cuts), len(LINES)]
    bodies = [HEADER + b"".join(LINES[low:high]) for low, high in pairwise(edges)]
    if ends_cut_off:
        bodies[:-1] = [body[:-1] for body in bodies[:-1]]
    folder = Folder(tmp_path)
    one = fed(recording(folder), bodies, piece)
    weighed = one.weigh(None, "")
    whole = record(tmp_path, BODY).weighed
    assert (weighed.vendor_xxh3, weighed.content, weighed.rows) == (whole.vendor_xxh3, whole.content, whole.rows)
    assert weighed.remarks == (f"asked for in {len(bodies)} parts, because the whole was too large",)
    one.commit(TARGET)
    assert b"".join(vendor_csv(folder.path, HOURLY)) == BODY


def test_csv_stores_the_one_body_too(tmp_path: Path) -> None:
    """The header is there once."""
    folder = Folder(tmp_path)
    one = fed(recording(folder, manner=Manner(format="csv")), [HEADER + LINES[0], HEADER + LINES[1]], 40)
    one.weigh(None, "")
    one.commit(TARGET)
    assert folder.path.read_bytes() == HEADER + LINES[0] + LINES[1]


@pytest.mark.parametrize(
    ("second", "kind"),
    [(HEADER, "empty-body"), (HEADER[:20], "cut"), (HEADER.replace(b"bid", b"bud") + LINES[1], "header"),
     (b"<html>", "header"), (HEADER + LINES[1][:-9], "row")],
)  # fmt: skip
def test_a_part_that_is_not_whole_spoils_the_day(tmp_path: Path, second: bytes, kind: str) -> None:
    """Joined only if every part is valid."""
    one = recording(Folder(tmp_path))
    with pytest.raises(BadAnswer) as raised:
        fed(one, [HEADER + LINES[0], second], 10).weigh(None, "")
    one.abort()
    assert raised.value.kind == kind


def test_a_part_that_is_only_a_header_spoils_the_day(tmp_path: Path) -> None:
    """The vendor says 472 where it has nothing; a header alone is a cut."""
    one = recording(Folder(tmp_path))
    with pytest.raises(BadAnswer):
        fed(one, [HEADER, HEADER + LINES[0]], 10)
    one.abort()
