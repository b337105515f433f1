"""The adaptive limit's promises, against Terminals in virtual time."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fetch.fluid import Fluid, Terminal
from thetabulk.fetch.limit import Limit
from thetabulk.fetch.verdict import Verdict

QUIET = {"received": 0, "in_flight": 0.0, "busy": 0.0}


def grown(highest: int = 12) -> Fluid:
    """A limit that has grown to `highest` at a Terminal that bears everything."""
    fluid = Fluid(Limit(1, highest))
    fluid.run(Terminal(total=500), 120)
    assert fluid.limit.limit() == highest
    return fluid


def test_it_starts_at_four_within_its_bounds() -> None:
    """Four, unless the bounds say otherwise."""
    assert Limit(3, 12).limit() == 4
    assert Limit(6, 12).limit() == 6
    assert Limit(1, 2).limit() == 2
    assert Limit(3, 1).limit() == 1


_EVENTS = st.one_of(
    st.tuples(st.just("result"), st.sampled_from(list(Verdict)), st.one_of(st.none(), st.integers(0, 20))),
    st.tuples(
        st.just("tick"),
        st.integers(0, 10**9),
        st.floats(0, 20),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from([0.0, 50.0, 84.0, 90.0, 99.0]),
    ),
)


@given(lowest=st.integers(0, 14), highest=st.integers(0, 14), events=st.lists(_EVENTS, max_size=200))
def test_it_never_leaves_its_bounds(lowest: int, highest: int, events: list[tuple[object, ...]]) -> None:
    """1 ≤ lowest ≤ limit ≤ ceiling ≤ highest, whatever happens in whatever order."""
    limit = Limit(lowest, highest)
    top = max(1, highest)
    for event in events:
        if event[0] == "result":
            limit.result(event[1], in_flight=event[2])  # type: ignore[arg-type]
        else:
            _, received, in_flight, busy, memory = event
            for _ in range(5):
                limit.tick(received=received, in_flight=in_flight, busy=busy, memory_percent=memory)  # type: ignore[arg-type]
        assert 1 <= min(max(1, lowest), top) <= limit.limit() <= limit.ceiling <= top
        assert limit.why


def test_it_grows_while_goodput_grows() -> None:
    """Where the Terminal bears everything, all of the range is used within a minute or two."""
    assert grown().levels[60] >= 9


def test_it_says_why_it_changed() -> None:
    """With the numbers that it went by."""
    fluid = Fluid(Limit(1, 12))
    fluid.run(Terminal(), 10)
    assert fluid.limit.why.startswith("4 bring ")
    assert fluid.limit.why.endswith(" MB/s: trying 6")


def test_unused_room_is_no_reason_for_more_room() -> None:
    """Seconds in which something else held requests back say nothing, however many bytes they brought."""
    limit = Limit(1, 12)
    for _ in range(500):
        limit.tick(received=50_000_000, in_flight=2.0, busy=0.5)
        limit.result(Verdict.SAVE)
        assert limit.limit() == 4


def test_a_shut_gate_is_not_a_fall() -> None:
    """An hour without a byte, while health holds everything back, changes nothing."""
    fluid = grown()
    for _ in range(3_600):
        fluid.limit.tick(**QUIET)  # type: ignore[arg-type]
    assert fluid.limit.limit() == 12


def test_more_than_the_terminal_bears_is_given_up() -> None:
    """Extra requests that slow it down without an error: threshold rules stay there for ever."""
    fluid = Fluid(Limit(1, 12))
    goodput = fluid.run(Terminal(knee=6), 900)
    best = max(Fluid(Limit(n, n)).run(Terminal(knee=6), 300) for n in (6, 7, 8))
    assert goodput > 0.9 * best
    assert fluid.run(Terminal(knee=6), 100) > 1.5 * Fluid(Limit(12, 12)).run(Terminal(knee=6), 300)


def test_it_shrinks_when_goodput_collapses_and_grows_when_it_comes_back() -> None:
    """The Terminal bears 12, then 4 for some minutes, then 12 again."""
    fluid = grown()
    fluid.run(Terminal(total=500, knee=4, loss=0.15), 600)
    assert sorted(fluid.levels[-100:])[50] <= 6
    fluid.run(Terminal(total=500), 600)
    assert sorted(fluid.levels[-100:])[50] >= 10


def test_one_in_four_failing_for_other_reasons_does_not_starve_the_run() -> None:
    """Errors that have nothing to do with load: error-driven rules fall to 0.4 of what is possible."""
    terminal = Terminal(total=500, errors=0.25)
    fluid = Fluid(Limit(1, 12))
    goodput = fluid.run(terminal, 1_500)
    assert goodput > 0.85 * Fluid(Limit(12, 12)).run(terminal, 600)


def test_requests_that_die_of_load_become_fewer() -> None:
    """Above 4 they die: nearly none is wasted in the end."""
    terminal = Terminal(knee=4, dying=0.02)
    fluid = Fluid(Limit(1, 12))
    fluid.run(terminal, 900)
    assert fluid.failed < 0.25 * _failures_at(12, terminal)


def _failures_at(level: int, terminal: Terminal) -> int:
    fluid = Fluid(Limit(level, level))
    fluid.run(terminal, 900)
    return fluid.failed


def test_a_burst_of_failures_cuts_the_limit_once() -> None:
    """Twenty time-outs in one window are one piece of news."""
    limit = grown().limit
    for _ in range(20):
        limit.result(Verdict.RETRY)
    assert limit.limit() == 8
    assert "failed" in limit.why


def test_goodput_earns_a_cut_back() -> None:
    """The burst over, the whole range is used again."""
    fluid = grown()
    for _ in range(20):
        fluid.limit.result(Verdict.RETRY)
    fluid.run(Terminal(total=500), 120)
    assert fluid.limit.limit() == 12


def test_a_second_burst_in_a_later_window_cuts_again() -> None:
    """Once per window, not once for ever."""
    limit = grown().limit
    for _ in range(20):
        limit.result(Verdict.RETRY)
    for _ in range(31):
        limit.tick(**QUIET)  # type: ignore[arg-type]
    for _ in range(20):
        limit.result(Verdict.RETRY)
    assert limit.limit() == 5


def test_answers_that_say_nothing_about_load_change_nothing() -> None:
    """A stretch of holidays is no reason to slow down."""
    limit = grown().limit
    for verdict in (Verdict.EMPTY, Verdict.REFUSE, Verdict.ASKED_WRONGLY, Verdict.ABORT, Verdict.SPLIT, Verdict.WAIT):
        for _ in range(50):
            limit.result(verdict)
    assert limit.limit() == 12


def test_a_refusal_sets_a_ceiling_that_expires() -> None:
    """For three minutes nobody tries more; then it is tried again."""
    fluid = Fluid(Limit(1, 12))
    fluid.run(Terminal(slots=4, queue=0), 170)
    assert fluid.refused > 0
    assert fluid.limit.limit() == fluid.limit.ceiling == 4
    fluid.run(Terminal(total=500), 400)
    assert fluid.limit.limit() == 12


def test_a_burst_of_refusals_is_one_piece_of_news() -> None:
    """What was sent before the cut is no second opinion about the level after it."""
    limit = grown().limit
    limit.result(Verdict.SLOW_DOWN, in_flight=11)
    for others in range(10, 3, -1):
        limit.result(Verdict.SLOW_DOWN, in_flight=others)
    assert limit.limit() == limit.ceiling == 11
    assert "429" in limit.why


def test_a_strict_account_is_hardly_ever_asked_for_too_much() -> None:
    """Four at a time, no queue: some dozen refusals in an hour, where hill climbing buys thousands."""
    fluid = Fluid(Limit(1, 12))
    fluid.run(Terminal(slots=4, queue=0), 3_600)
    assert fluid.refused < 30
    assert sum(fluid.received) > 0.95 * 3_600 * 4 * 8 * 12 / (12 + 0.6 * 8)


def test_little_memory_shrinks_it() -> None:
    """Never long above 85 % of the machine's memory, and near what it bears."""
    fluid = Fluid(Limit(1, 12))
    fluid.run(Terminal(total=500, memory_percent=6.0), 600)
    assert 5 <= fluid.levels[-1] <= 7
    assert fluid.memory_peak < 100


def test_an_outage_teaches_nothing() -> None:
    """A minute in which every request fails without a byte is the breaker's business."""
    fluid = grown()
    for second in range(60):
        if second % 2:
            fluid.limit.result(Verdict.RETRY)
        fluid.limit.tick(received=0, in_flight=1.0, busy=1.0)
    assert fluid.limit.limit() == 8  # the errors cut it once, and that is all
    fluid.run(Terminal(total=500), 90)
    assert fluid.limit.limit() == 12
