"""digits accepts exactly the canonical texts, and reads them right, whatever stands beside them."""

import re
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thetabulk.store import digits
from thetabulk.store.block import MARGIN
from thetabulk.store.digits import Ints, Words

law = settings(max_examples=80, deadline=None)
near_numbers = st.text("0123456789.,-+ /:;\"'eEnN\x00\x7f\xb2", max_size=11)
canonical_numbers = st.from_regex(r"\A(0|[1-9][0-9]{0,8})(\.[0-9]{1,7})?\Z")
fields = st.lists(st.one_of(near_numbers, canonical_numbers), min_size=1, max_size=60)
neighbours = st.binary(max_size=9)


def laid_out(texts: Sequence[str], before: bytes, after: bytes) -> tuple[Words, Ints, Ints]:
    """The fields in one buffer, each with bytes of any kind on both sides; where they start and end."""
    buffer, starts, ends = bytearray(MARGIN), [], []
    for text in texts:
        buffer += before
        starts.append(len(buffer))
        buffer += text.encode("latin-1")
        ends.append(len(buffer))
        buffer += after
    return digits.words_over(bytes(buffer + MARGIN)), np.array(starts), np.array(ends)


@law
@given(fields, neighbours, neighbours)
def test_integers_are_accepted_if_and_only_if_they_print_back(texts: list[str], before: bytes, after: bytes) -> None:
    """One to eight digits without a leading zero; their value is Python's."""
    values, accepted = digits.integers(*laid_out(texts, before, after))
    for text, value, fine in zip(texts, values.tolist(), accepted.tolist(), strict=True):
        assert fine == bool(re.fullmatch(r"0|[1-9][0-9]{0,7}", text)), text
        assert not fine or value == int(text)


@law
@given(fields, neighbours, neighbours, st.integers(1, 6))
def test_decimals_are_accepted_if_and_only_if_they_print_back(
    texts: list[str], before: bytes, after: bytes, places: int
) -> None:
    """At most eight characters, exactly so many decimals, no leading zero; their value is Python's."""
    texts = [*texts, *(f"{text.partition('.')[0][:6]}.{'4096113'[:places]}" for text in texts)]
    values, accepted = digits.decimals(*laid_out(texts, before, after), places)
    for text, value, fine in zip(texts, values.tolist(), accepted.tolist(), strict=True):
        canonical = re.fullmatch(rf"(0|[1-9][0-9]*)\.[0-9]{{{places}}}", text) and len(text) <= 8
        assert fine == bool(canonical), text
        assert not fine or value == int(text.replace(".", ""))


def test_every_price_of_two_decimals_below_ten_dollars_is_read() -> None:
    """No value is special."""
    texts = [f"{cents / 100:.2f}" for cents in range(1000)]
    values, accepted = digits.decimals(*laid_out(texts, b",", b","), 2)
    assert accepted.all()
    assert values.tolist() == list(range(1000))


@law
@given(st.lists(st.text("0123456789:/;. ", min_size=8, max_size=8), min_size=1, max_size=60), st.data())
def test_times_of_day_are_those_that_a_clock_shows(texts: list[str], data: st.DataObject) -> None:
    """HH:MM:SS between 00:00:00 and 23:59:59."""
    clocks = st.tuples(st.integers(0, 30), st.integers(0, 70), st.integers(0, 70))
    texts = [*texts, *(f"{h:02d}:{m:02d}:{s:02d}" for h, m, s in data.draw(st.lists(clocks, max_size=60)))]
    words, starts, _ = laid_out(texts, b"T", b".")
    values, accepted = digits.times_of_day(words[starts])
    for text, value, fine in zip(texts, values.tolist(), accepted.tolist(), strict=True):
        shown = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])", text)
        assert fine == bool(shown), text
        if shown:
            hours, minutes, seconds = map(int, shown.groups())
            assert value == ((hours * 60 + minutes) * 60 + seconds) * 1000


@law
@given(st.lists(st.text("0123456789.,/", max_size=5), min_size=1, max_size=60), neighbours, st.booleans())
def test_fractions_are_read_in_the_one_form_of_their_style(texts: list[str], after: bytes, fixed: bool) -> None:
    """Fixed: three digits, always. Trimmed: up to three without trailing zeros, and no point for none."""
    texts = ["", ".5", ".50", ".05", ".005", ".500", ".000", *texts]
    words, starts, ends = laid_out(texts, b"0", after)
    form_name = "fixed" if fixed else "trimmed"
    values, accepted = digits.fractions(words[starts], ends - starts + digits.SECONDS, form_name)
    form = r"\.[0-9]{3}" if fixed else r"|\.[0-9]{0,2}[1-9]"
    for text, value, fine in zip(texts, values.tolist(), accepted.tolist(), strict=True):
        assert fine == bool(re.fullmatch(form, text)), text
        assert not fine or value == int(text[1:].ljust(3, "0"))
