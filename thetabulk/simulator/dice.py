"""Chance that is the same everywhere: every draw is a BLAKE2 or SHAKE digest of a seed and a key.

No `random` (its helpers work with floats) and no `hash()` (it differs from run to run).
"""

from collections.abc import Sequence
from hashlib import blake2b, shake_128
from typing import TypeVar

MILLION = 1_000_000

T = TypeVar("T")


def draw(seed: int, *key: object) -> int:
    """64 bits that depend on nothing but the seed and the key's text."""
    return int.from_bytes(blake2b(_text(seed, key), digest_size=8).digest(), "little")


def stream(length: int, seed: int, *key: object) -> bytes:
    """As many bytes as are asked for; a longer stream of the same key begins with the shorter one."""
    return shake_128(_text(seed, key)).digest(length)


def happens(per_million: int, seed: int, *key: object) -> bool:
    return draw(seed, *key) % MILLION < per_million


def bell(raw: bytes) -> list[int]:
    """One bell-shaped number for every four bytes: the sum of four dice, mean 0, standard deviation 148."""
    return [a + b + c + d - 510 for a, b, c, d in zip(raw[0::4], raw[1::4], raw[2::4], raw[3::4], strict=True)]


def shuffled(things: Sequence[T], seed: int, *key: object) -> list[T]:
    """The same things in an order that looks like none."""
    raw = stream(4 * len(things), seed, *key)
    order = sorted(range(len(things)), key=lambda index: (raw[4 * index : 4 * index + 4], index))
    return [things[index] for index in order]


def _text(seed: int, key: tuple[object, ...]) -> bytes:
    return "|".join(map(str, (seed, *key))).encode()
