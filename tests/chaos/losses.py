"""Whole lines that do not arrive: dropped rows, dropped contracts, cuts where a line or a contract ends.

What is left is a well-formed answer. Predecessors took nine of ten for the whole day (reliability.md §7.2).
"""

from collections.abc import Callable
from itertools import groupby
from random import Random

from tests.unit.store.answers import Row
from thetabulk.model import Contract

Loss = Callable[[list[Row], Random], list[Row]]


def _contracts(rows: list[Row]) -> list[list[Row]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row.contract)]


def _flat(groups: list[list[Row]]) -> list[Row]:
    return [row for group in groups for row in group]


def one_row(rows: list[Row], dice: Random) -> list[Row]:
    place = dice.randrange(len(rows))
    return rows[:place] + rows[place + 1 :]


def some_rows(rows: list[Row], dice: Random) -> list[Row]:
    gone = set(dice.sample(range(len(rows)), dice.randint(2, max(2, len(rows) // 4))))
    return [row for place, row in enumerate(rows) if place not in gone]


def a_block_of_rows(rows: list[Row], dice: Random) -> list[Row]:
    start = dice.randrange(len(rows))
    return rows[:start] + rows[start + dice.randint(1, max(1, len(rows) // 2)) :]


def one_contract(rows: list[Row], dice: Random) -> list[Row]:
    groups = _contracts(rows)
    groups.pop(dice.randrange(len(groups)))
    return _flat(groups)


def an_expiration(rows: list[Row], dice: Random) -> list[Row]:
    gone = dice.choice(rows).contract.expiration
    return [row for row in rows if row.contract.expiration != gone]


def one_right(rows: list[Row], dice: Random) -> list[Row]:
    gone = dice.choice(rows).contract.right
    return [row for row in rows if row.contract.right != gone]


def the_end_after_a_row(rows: list[Row], dice: Random) -> list[Row]:
    return rows[: dice.randrange(1, len(rows))]


def the_end_after_a_contract(rows: list[Row], dice: Random) -> list[Row]:
    groups = _contracts(rows)
    return _flat(groups[: dice.randrange(1, len(groups))])


def the_last_contract(rows: list[Row], _: Random) -> list[Row]:
    return _flat(_contracts(rows)[:-1])


def the_last_row_of_every_contract(rows: list[Row], _: Random) -> list[Row]:
    """A grid that ends a step too early, for all of them."""
    return _flat([group[:-1] for group in _contracts(rows)])


def the_first_row_of_every_contract(rows: list[Row], _: Random) -> list[Row]:
    return _flat([group[1:] for group in _contracts(rows)])


def a_time_of_all(rows: list[Row], dice: Random) -> list[Row]:
    gone = dice.choice(rows).values[0]
    return [row for row in rows if row.values[0] != gone]


LOSSES: tuple[Loss, ...] = (
    one_row, some_rows, a_block_of_rows, one_contract, an_expiration, one_right, the_end_after_a_row,
    the_end_after_a_contract, the_last_contract, the_last_row_of_every_contract, the_first_row_of_every_contract,
    a_time_of_all,
)  # fmt: skip


def lose(rows: list[Row], dice: Random) -> tuple[list[Row], str]:
    """What is left of the rows, at least one, and what has happened."""
    while True:
        loss = dice.choice(LOSSES)
        left = loss(rows, dice)
        if left and left != rows:
            return left, loss.__name__


def missing(left: list[Row], rows: list[Row]) -> set[Contract]:
    return {row.contract for row in rows} - {row.contract for row in left}
