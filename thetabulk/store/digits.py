"""Digits to numbers, eight characters of every row at once.

A field of at most eight characters is read as one 64-bit word that ends where the field ends. Three multiplications
turn its digits into a number, and a few masks tell whether it was written in the one form that prints back the same:
digits only, no sign, no leading zero, the expected number of decimals. What these functions accept is therefore
printed again exactly; everything else is left to the slow path in `rows`.

Measured beside pyarrow's CSV reader (benchmarks/parse.py): as much CPU as its reading alone, less than half of its
reading with a proof that every text prints back.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WORD = 8
ZEROS = np.uint64(0x3030303030303030)
_SIX_UP = np.uint64(0x7676767676767676)  # adding it carries into the top bit of every byte above 9
_TOP_BITS = np.uint64(0x8080808080808080)
_BYTE = np.uint64(0xFF)
_NEVER = 2**62
_LONGEST = WORD + 1  # tables by length end here: anything longer is as wrong as this


def _table(entries: Iterable[int]) -> Words:
    return np.array(list(entries), dtype=np.uint64)


_UNUSED_BITS = _table(WORD * min(WORD - 1, max(0, WORD - length)) for length in range(_LONGEST + 1))
_LEAST = _table([_NEVER, 0, *(10 ** (length - 1) for length in range(2, _LONGEST)), _NEVER])
"""By length: the least integer without a leading zero (a single 0 is fine)."""

_LEAST_WITH = tuple(
    _table([*[_NEVER] * (places + 2), 0, *(10 ** (length - 2) for length in range(places + 3, _LONGEST)), _NEVER])
    for places in range(WORD - 1)
)
"""By places and length: the least decimal without a leading zero before the first digit of the whole."""


def words_over(buffer: bytes | bytearray | memoryview) -> Words:
    """Every 8-byte word of a buffer, one starting at each byte; gather from it with an index array."""
    return np.ndarray(shape=(len(buffer) - WORD + 1,), dtype="<u8", buffer=buffer, strides=(1,))


def all_digits(digits: Words) -> Mask:
    """Whether every byte of each word is 0 … 9 (after `^ ZEROS`)."""
    marks = digits + _SIX_UP
    marks |= digits
    marks &= _TOP_BITS
    clear: Mask = marks == 0
    return clear


def value_of(digits: Words) -> Words:
    """Eight digit bytes, the first the most significant, as a number (the well-known three-multiplication form)."""
    value = digits * np.uint64(2561)
    value >>= np.uint64(8)
    value &= np.uint64(0x00FF00FF00FF00FF)
    value *= np.uint64(6553601)
    value >>= np.uint64(16)
    value &= np.uint64(0x0000FFFF0000FFFF)
    value *= np.uint64(42949672960001)
    value >>= np.uint64(32)
    return value


def _right_aligned(words: Words, ends: Ints, lengths: Ints) -> Words:
    """The last `lengths` bytes of the words that end at `ends`, as digit bytes; zeros before them."""
    unused = _UNUSED_BITS.take(lengths, mode="clip")
    digits: Words = words[ends - WORD]
    digits ^= ZEROS
    digits >>= unused
    digits <<= unused
    return digits


def integers(words: Words, starts: Ints, ends: Ints) -> tuple[Ints, Mask]:
    """Unsigned integers of one to eight digits: the values, and which of them print back as they stand."""
    lengths = ends - starts
    digits = _right_aligned(words, ends, lengths)
    values = value_of(digits)
    canonical = all_digits(digits)
    canonical &= values >= _LEAST.take(lengths, mode="clip")
    return values.view(np.int64), canonical


def decimals(words: Words, starts: Ints, ends: Ints, places: int) -> tuple[Ints, Mask]:
    """Unsigned decimals with exactly `places` (1 … 6) digits after the point: the values × 10^places, and which of
    them print back as they stand."""
    lengths = ends - starts
    digits = _right_aligned(words, ends, lengths)
    point = WORD * (WORD - 1 - places)
    digits ^= np.uint64(0x1E << point)  # "." ^ "0": zero from here on, if it was a point
    canonical = all_digits(digits)
    canonical &= digits & np.uint64(0xFF << point) == 0
    whole = digits & np.uint64((1 << point) - 1)
    whole <<= np.uint64(WORD)
    digits &= ~np.uint64((1 << (point + WORD)) - 1)
    digits |= whole
    values = value_of(digits)
    canonical &= values >= _LEAST_WITH[places].take(lengths, mode="clip")
    return values.view(np.int64), canonical


_COLONS = np.uint64(int.from_bytes(b"00:00:00", "little"))
_COLON_BYTES = np.uint64(int.from_bytes(b"\x00\x00\xff\x00\x00\xff\x00\x00", "little"))


def times_of_day(clock: Words) -> tuple[Ints, Mask]:
    """Words that hold `HH:MM:SS`: milliseconds since midnight, and which of them are a time."""
    digits = clock ^ _COLONS
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    hours, minutes, seconds = pairs & _BYTE, (pairs >> np.uint64(24)) & _BYTE, (pairs >> np.uint64(48)) & _BYTE
    right = all_digits(digits) & (digits & _COLON_BYTES == 0) & (hours < 24) & (minutes < 60) & (seconds < 60)
    total = hours * np.uint64(3_600_000) + minutes * np.uint64(60_000) + seconds * np.uint64(1_000)
    return total.view(np.int64), right


SECONDS = len("2024-08-02T09:30:00")
_POINT = np.uint64(int.from_bytes(b"\0\0\0\0.000", "little"))
_POINT_BYTE = np.uint64(0xFF << 32)
_KEPT = _table([0] * (SECONDS + 1) + [(1 << 64) - (1 << 32) >> 8 * (4 - length) for length in range(1, 5)] + [0])
_LEAST_TAIL = {
    "fixed": _table([_NEVER * 2] * (SECONDS + 4) + [0, _NEVER * 2]),
    "trimmed": _table([_NEVER * 2] * SECONDS + [0, _NEVER * 2, 1 << 40, 1 << 48, 1 << 56, _NEVER * 2]),
}
"""By length of the stamp: the least word whose last digit, which is its highest byte, is none that would be trimmed."""


def fractions(tails: Words, lengths: Ints, form: str) -> tuple[Ints, Mask]:
    """What follows `HH:MM:SS` in stamps of `lengths` characters: words that begin with `.fff`, as milliseconds.

    `form` fixed: always three digits (`.000`). trimmed: 0 to 3 digits without trailing zeros, no point when zero.
    """
    digits = tails << np.uint64(32)
    digits ^= _POINT
    digits &= _KEPT.take(lengths, mode="clip")
    right = all_digits(digits)
    right &= digits & _POINT_BYTE == 0
    right &= digits >= _LEAST_TAIL[form].take(lengths, mode="clip")
    return value_of(digits).view(np.int64), right
