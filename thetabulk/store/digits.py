"""Digits to numbers, eight characters of every row at once.

A field of at most eight characters is read as one 64-bit word that ends where the field ends. Three multiplications
turn its digits into a number, and a few masks tell whether it was written in the one form that prints back the same:
digits only, no sign, no leading zero, the expected number of decimals. What these functions accept is therefore
printed again exactly; everything else is left to the slow path in `rows`.

Measured beside pyarrow's CSV reader (benchmarks/parse.py): the same values for less than half the CPU, with the proof.
"""

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
_POWERS = np.array([0, 0, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 2**62], dtype=np.uint64)
"""By number of digits: the least value without a leading zero (a single 0 is fine)."""


def words_over(buffer: bytes | bytearray | memoryview) -> Words:
    """Every 8-byte word of a buffer, one starting at each byte; gather from it with an index array."""
    return np.ndarray(shape=(len(buffer) - WORD + 1,), dtype="<u8", buffer=buffer, strides=(1,))


def all_digits(digits: Words) -> Mask:
    """Whether every byte of each word is 0 … 9 (after `^ ZEROS`)."""
    clear: Mask = ((digits | (digits + _SIX_UP)) & _TOP_BITS) == 0
    return clear


def value_of(digits: Words) -> Words:
    """Eight digit bytes, the first the most significant, as a number (the well-known three-multiplication form)."""
    pairs = (digits * np.uint64(2561)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    value: Words = ((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return value


def _right_aligned(words: Words, ends: Ints, lengths: Ints) -> Words:
    """The last `lengths` bytes of the words that end at `ends`, as digit bytes; zeros before them."""
    unused = (np.clip(WORD - lengths, 0, WORD - 1) * WORD).astype(np.uint64)
    return ((words[ends - WORD] ^ ZEROS) >> unused) << unused


def integers(words: Words, starts: Ints, ends: Ints) -> tuple[Ints, Mask]:
    """Unsigned integers of one to eight digits: the values, and which of them print back as they stand."""
    lengths = ends - starts
    digits = _right_aligned(words, ends, lengths)
    values = value_of(digits)
    fits = (lengths > 0) & (lengths <= WORD)
    canonical = all_digits(digits) & fits & (values >= _POWERS[np.clip(lengths, 0, WORD + 1)])
    return values.astype(np.int64), canonical


def decimals(words: Words, starts: Ints, ends: Ints, places: int) -> tuple[Ints, Mask]:
    """Unsigned decimals with exactly `places` (1 … 6) digits after the point: the values × 10^places, and which of
    them print back as they stand."""
    lengths = ends - starts
    digits = _right_aligned(words, ends, lengths)
    point = np.uint64(WORD * (WORD - 1 - places))
    digits ^= np.uint64(0x1E) << point  # "." ^ "0": zero from here on, if it was a point
    has_point = (digits >> point) & _BYTE == 0
    before = np.uint64((1 << int(point)) - 1)
    after = ~np.uint64((1 << (int(point) + WORD)) - 1)
    values = value_of(((digits & before) << np.uint64(WORD)) | (digits & after))
    whole_digits = lengths - 1 - places
    fits = (whole_digits > 0) & (lengths <= WORD)
    least = _POWERS[np.clip(np.where(whole_digits > 1, lengths - 1, 0), 0, WORD + 1)]
    return values.astype(np.int64), all_digits(digits) & has_point & fits & (values >= least)


_COLONS = np.uint64(int.from_bytes(b"00:00:00", "little"))
_COLON_BYTES = np.uint64(int.from_bytes(b"\x00\x00\xff\x00\x00\xff\x00\x00", "little"))


def times_of_day(clock: Words) -> tuple[Ints, Mask]:
    """Words that hold `HH:MM:SS`: milliseconds since midnight, and which of them are a time."""
    digits = clock ^ _COLONS
    pairs = digits * np.uint64(10) + (digits >> np.uint64(8))
    hours, minutes, seconds = pairs & _BYTE, (pairs >> np.uint64(24)) & _BYTE, (pairs >> np.uint64(48)) & _BYTE
    right = all_digits(digits) & (digits & _COLON_BYTES == 0) & (hours < 24) & (minutes < 60) & (seconds < 60)
    total = hours * np.uint64(3_600_000) + minutes * np.uint64(60_000) + seconds * np.uint64(1_000)
    return total.astype(np.int64), right


def fractions(tails: Words, lengths: Ints, *, fixed: bool) -> tuple[Ints, Mask]:
    """What follows `HH:MM:SS`: words that begin with `.fff` of `lengths` characters, as milliseconds.

    `fixed`: always three digits (`.000`). Otherwise 0 to 3 digits without trailing zeros, no point when zero.
    """
    point = (tails & _BYTE) == ord(".")
    digits = tails ^ ZEROS
    first, second, third = (((digits >> np.uint64(shift)) & _BYTE).astype(np.int64) for shift in (8, 16, 24))
    if fixed:
        right = point & (lengths == 4) & (first < 10) & (second < 10) & (third < 10)
        return first * 100 + second * 10 + third, right
    second, third = np.where(lengths > 2, second, 0), np.where(lengths > 3, third, 0)
    last = np.choose(np.clip(lengths - 2, 0, 2), (first, second, third))
    some = point & (lengths >= 2) & (lengths <= 4) & (first < 10) & (second < 10) & (third < 10) & (last > 0)
    return np.where(some, first * 100 + second * 10 + third, 0), some | (lengths == 0)
