"""What a drive has kept of the commit protocol."""

from thetabulk.store.durability import Durability
from thetabulk.store.part import Committed


def committed(sync: str, readback: str) -> Committed:
    return Committed("", 0, 0, sync, readback)  # type: ignore[arg-type]


def test_the_weakest_counts() -> None:
    """A better file afterwards mends nothing."""
    found = Durability()
    assert found.document() == {"sync": None, "readback": None}
    for sync, readback, weakest in (
        ("full", "cache-bypassed", {"sync": "full", "readback": "cache-bypassed"}),
        ("degraded", "cached", {"sync": "degraded", "readback": "cached"}),
        ("full", "cache-bypassed", {"sync": "degraded", "readback": "cached"}),
        ("full", "off", {"sync": "degraded", "readback": "off"}),
    ):
        found.take(committed(sync, readback))
        assert found.document() == weakest
