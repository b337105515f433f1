"""Numbers in sentences."""

import pytest

from thetabulk.wording import counted


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((1, "row"), "1 row"),
        ((0, "row"), "0 rows"),
        ((2_012, "day"), "2,012 days"),
        ((1, "contract", "is", "are"), "1 contract is"),
        ((2, "contract", "is", "are"), "2 contracts are"),
    ],
)
def test_a_noun_and_its_verb_follow_the_number(words: tuple[int, str, str, str], expected: str) -> None:
    """As one says it."""
    assert counted(*words) == expected
