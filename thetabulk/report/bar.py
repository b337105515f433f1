"""One bar for all days: a cell is full only if its days are. Pure."""

from collections.abc import Mapping, Sequence

KINDS = ("saved", "empty", "refused", "failed", "left")


def cells(days: Mapping[str, int], width: int) -> Sequence[tuple[str, int]]:
    """`width` cells shared out to the kinds of days, in the order of KINDS.

    Whatever there is has at least one cell, and a bar with days left is never full: no progress is invented.
    """
    present = [kind for kind in KINDS if days.get(kind, 0) > 0]
    total = sum(days[kind] for kind in present)
    if not total:
        return [("left", width)]
    exact = {kind: days[kind] * width / total for kind in present}
    given = {kind: max(1, int(exact[kind])) for kind in present}
    while sum(given.values()) > width:  # more kinds than room: the widest gives
        widest = max(given, key=lambda kind: given[kind])
        given[widest] -= 1
    for _ in range(width - sum(given.values())):
        furthest = "left" if "left" in given else max(given, key=lambda kind: exact[kind] - given[kind])
        given[furthest] += 1
    return [(kind, given[kind]) for kind in present]


def percent(done: int, total: int) -> str:
    """Rounded down: 100 % is said when all is done, not before."""
    return f"{100 * done // total} %" if total else "–"
