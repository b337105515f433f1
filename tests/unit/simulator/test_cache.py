"""The days kept in memory."""

from hypothesis import given
from hypothesis import strategies as st

from thetabulk.simulator.cache import ChunkCache


def test_what_has_not_been_asked_for_the_longest_goes_first() -> None:
    """Asking counts as using."""
    cache = ChunkCache(10)
    cache.put("a", (b"1234",))
    cache.put("b", (b"1234",))
    assert cache.get("a") == (b"1234",)
    cache.put("c", (b"12", b"34"))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.get("c") == (b"12", b"34")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=50))
def test_the_limit_holds(answers: list[tuple[int, int]]) -> None:
    """Whatever is put in; and what is too large is never kept."""
    cache = ChunkCache(40)
    for key, size in answers:
        cache.put(key, (b"x" * size,))
        assert cache.size <= 40
        assert len(cache.get(key) or (b"x",)) == 1


def test_only_a_whole_answer_is_remembered() -> None:
    """Whoever stops listening leaves nothing behind, and a large one passes through."""
    cache = ChunkCache(5)
    half = cache.keeping("half", iter([b"12", b"34"]))
    assert next(half) == b"12"
    half.close()
    assert list(cache.keeping("whole", iter([b"12", b"34"]))) == [b"12", b"34"]
    assert list(cache.keeping("large", iter([b"1234", b"5678"]))) == [b"1234", b"5678"]
    assert (cache.get("half"), cache.get("whole"), cache.get("large")) == (None, (b"12", b"34"), None)
