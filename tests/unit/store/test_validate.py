"""What is found about a day, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.store.answers import (
    DAY,
    EOD,
    HOURLY,
    LIVE,
    MINUTELY,
    OPEN_INTEREST,
    SYMBOL,
    Printer,
    Row,
    chain,
    end_of_day,
    minutes,
    open_interest,
    pieces,
    printers,
    quotes,
)  # fmt: skip
from thetabulk.errors import BadAnswer
from thetabulk.model import Collection, Contract, Dataset, Proof, Right, Shard
from thetabulk.plan.datasets import grid_of
from thetabulk.store.expected import Expected
from thetabulk.store.habits import Habits
from thetabulk.store.validate import Fate, Findings, compare_with_list, judge, lacks_contracts, size_remark
from thetabulk.store.weighing import Weighed, Weighing

law = settings(max_examples=40, deadline=None)
ROWS = quotes(chain(2, 2))


def weigh(
    rows: Sequence[Row], dataset: Dataset = HOURLY, printer: Printer = LIVE, *,
    listed: frozenset[Contract] | None = None, half_day: bool = False, piece: int = 1 << 20, selection: str = "",
) -> Weighed:  # fmt: skip
    shard = Shard(Collection(dataset.name, selection, SYMBOL), DAY)
    weighing = Weighing(shard, dataset, grid_of(dataset, half_day))
    for data in pieces(printer.body(dataset, rows), piece):
        weighing.feed(data)
    weighing.finish()
    return weighing.weigh(listed, "")


def content(rows: Sequence[Row], printer: Printer = LIVE) -> str:
    return weigh(rows, printer=printer).content


@law
@given(st.permutations(ROWS), printers(), st.integers(1, 3000))
def test_the_content_is_that_of_the_values(rows: list[Row], printer: Printer, piece: int) -> None:
    """Whatever their order, their print style and the pieces in which they came."""
    assert weigh(rows, printer=printer, piece=piece).content == content(ROWS)


@law
@given(st.integers(0, len(ROWS) - 1), st.integers(1, 8), st.integers(-50, 50).filter(bool))
def test_another_value_is_another_content(row: int, index: int, change: int) -> None:
    """Any value of any row."""
    value = ROWS[row].values[index]
    other = value + Decimal(change) / 100 if isinstance(value, Decimal) else int(str(value)) + change
    assert content([*ROWS[:row], ROWS[row].but(index, other), *ROWS[row + 1 :]]) != content(ROWS)


@law
@given(
    st.integers(0, len(ROWS) - 1), st.lists(st.tuples(st.integers(1, 8), st.integers(-12, 12)), min_size=2, max_size=4)
)
def test_changes_in_one_row_do_not_cancel_out(row: int, changes: list[tuple[int, int]]) -> None:
    """Eleven more of one size and three less of another were the same content once."""
    changed = ROWS[row]
    for index, change in changes:
        value = changed.values[index]
        other = value + Decimal(change) / 100 if isinstance(value, Decimal) else int(str(value)) + change
        changed = changed.but(index, other)
    assume(changed != ROWS[row])
    assert content([*ROWS[:row], changed, *ROWS[row + 1 :]]) != content(ROWS)


def test_rows_of_other_contracts_and_other_times_are_another_content() -> None:
    """The same values elsewhere are not the same day."""
    moved = [replace(row, contract=replace(row.contract, strike_mills=row.contract.strike_mills + 500)) for row in ROWS]
    swapped = [ROWS[0].but(1, 9), ROWS[1].but(1, 8), *ROWS[2:]], [ROWS[0].but(1, 8), ROWS[1].but(1, 9), *ROWS[2:]]
    seen = {content(rows) for rows in (ROWS, moved, *swapped, ROWS[:-1], [*ROWS, ROWS[0]], [*ROWS, ROWS[0], ROWS[0]])}
    assert len(seen) == 7


@pytest.mark.parametrize("dataset", [HOURLY, OPEN_INTEREST], ids=lambda dataset: dataset.name)
def test_rows_without_end_are_no_day(dataset: Dataset) -> None:
    """They would fill the memory long before the ceiling of a body; every row four times is still looked at."""
    rows = quotes(chain(2)) if dataset is HOURLY else open_interest(chain(2))
    weighing = Weighing(Shard(Collection(dataset.name, "", SYMBOL), DAY), dataset, grid_of(dataset, half_day=False))
    weighing.feed(LIVE.body(dataset, rows * 4))
    again = LIVE.body(dataset, rows * 500).partition(b"\n")[2]
    with pytest.raises(BadAnswer, match="they repeat"):
        for _ in range(400):
            weighing.feed(again)
    assert weighing.rows < 120_000


def test_odd_prices_count_by_value_too() -> None:
    """1.005 is the same among prices of two decimals and of three; NaN is no number, but always the same."""
    fine = ROWS[5].but(3, Decimal("1.005"))
    lines = [LIVE.line(HOURLY, row).replace(",1.00,", ",1.005,") for row in (*ROWS[:5], fine, *ROWS[6:])]
    assert any(",1.005," in line for line in lines)
    body = (LIVE.header(HOURLY) + "".join(lines)).encode()
    assert weigh_body(body).content == content([*ROWS[:5], fine, *ROWS[6:]], Printer(places=3))
    first, second = (weigh_body(body.replace(b",1.005,", text)).content for text in (b",NaN,", b",nan,"))
    assert first == second != weigh_body(body).content


@pytest.mark.parametrize(
    ("text", "said"),
    [("NaN", "no number"), ("-1.00", "negative"), ("1.005", "than 2 decimals"), ("99999999999.00", "out of range")],
)
def test_a_price_that_none_can_be_is_doubted_for_its_own_reason(text: str, said: str) -> None:
    """Asked once more; the same again is saved with the remark, because the vendor may mean it."""
    fine = ROWS[5].but(3, Decimal("1.005"))
    lines = [LIVE.line(HOURLY, row).replace(",1.00,", ",1.005,") for row in (*ROWS[:5], fine, *ROWS[6:])]
    body = (LIVE.header(HOURLY) + "".join(lines)).replace(",1.005,", ",1.00,").replace(",1.00,", f",{text},", 1)
    seen = weigh_body(body.encode())
    assert len(seen.findings.surplus) == 1
    assert said in seen.findings.surplus[0]
    assert seen.fate is Fate.ASK_AGAIN
    assert not seen.findings.lacking


def test_whole_cents_among_prices_of_one_decimal_are_no_reason_to_doubt() -> None:
    """The file keeps the text apart, because its neighbours are printed otherwise; the price is fine."""
    body = Printer(places=1).body(HOURLY, ROWS)
    at = body.index(b".0,", len(body) // 2)
    seen = weigh_body(body[:at] + b".25," + body[at + 3 :])
    assert seen.content != weigh_body(body).content
    assert (seen.findings.surplus, seen.findings.lacking) == ((), ())


def weigh_body(body: bytes) -> Weighed:
    weighing = Weighing(Shard(Collection(HOURLY.name, "", SYMBOL), DAY), HOURLY, grid_of(HOURLY, half_day=False))
    weighing.feed(body)
    weighing.finish()
    return weighing.weigh(None, "")


@law
@given(st.integers(0, len(ROWS) - 1), st.integers(0, len(ROWS)), st.integers(1, 300))
def test_a_doubled_row_is_found_wherever_it_comes(row: int, place: int, times: int) -> None:
    """Next to itself or far away, once or so often that a small counter would be back where it began."""
    seen = weigh([*ROWS[:place], *[ROWS[row]] * times, *ROWS[place:]])
    rows = "1 row" if times == 1 else f"{times} rows"
    assert seen.findings.surplus == (f"{rows} came more than once",)
    assert not seen.findings.lacking


@law
@given(st.integers(0, len(ROWS) - 1))
def test_a_dropped_row_is_found(row: int) -> None:
    """The grid says so."""
    name = f"{ROWS[row].contract.strike_mills / 1000:g} {ROWS[row].contract.right.upper()}"
    lacking = weigh([*ROWS[:row], *ROWS[row + 1 :]]).findings.lacking
    assert "1 contract has fewer rows" in lacking[0]
    assert name in lacking[0]


@law
@given(st.sets(st.integers(0, 39), min_size=1, max_size=39), st.booleans())
def test_dropped_and_doubled_contracts_are_found(numbers: set[int], doubled: bool) -> None:
    """The grid finds the one, the list the other; one in a hundred at most may be absent from a day that is saved."""
    contracts = chain(20)
    some = [contract for number, contract in enumerate(contracts) if number in numbers]
    if doubled:
        seen = weigh(quotes([*contracts, *some]), listed=frozenset(contracts)).findings
        assert seen.surplus == (f"{7 * len(some)} rows came more than once",)
    else:
        seen = weigh(quotes([one for one in contracts if one not in some]), listed=frozenset(contracts)).findings
        assert seen.lacking[0].startswith(f"{len(some)} of 40 listed contracts are absent: ")


def test_one_contract_in_a_hundred_may_be_absent() -> None:
    """Asked again, then saved with a remark; one more, and it is kept aside."""
    contracts = chain(100)
    for dropped, half in ((1, "surplus"), (2, "surplus"), (3, "lacking")):
        seen = weigh(quotes(contracts[dropped:]), listed=frozenset(contracts)).findings
        assert getattr(seen, half)[0].startswith(f"{dropped} of 200 listed contracts are absent")


def test_contracts_outside_the_list_are_told() -> None:
    """A list that knows less than the answer is no proof of it."""
    contracts = chain(20)
    seen = weigh(quotes(contracts), listed=frozenset(contracts[7:]))
    assert seen.findings.surplus[0].startswith("7 contracts are not in the vendor's list: 2024-08-02 99.5 CALL")
    assert seen.findings.surplus[0].endswith(" and 2 more")


@pytest.mark.parametrize("listed", [None, frozenset[Contract]()])
def test_without_a_list_there_is_no_full_proof(listed: frozenset[Contract] | None) -> None:
    """Saved, and asked for the list later. An empty list is none."""
    seen = weigh(ROWS, listed=listed)
    assert (seen.fate, seen.proof) == (Fate.SAVE, Proof.NO_CONTRACT_LIST)


@pytest.mark.parametrize(("rows", "half_day"), [(391, False), (406, False), (211, True), (226, True), (391, True)])
def test_the_known_grids_are_whole(rows: int, half_day: bool) -> None:
    """391 and 406 on every day, 211 and 226 on half-days."""
    assert weigh(quotes(chain(1), minutes(rows)), MINUTELY, half_day=half_day).remarks == ()


@pytest.mark.parametrize("rows", [1, 210, 211, 226, 390, 392, 405])
def test_an_unknown_grid_is_lacking(rows: int) -> None:
    """All contracts alike, and yet too short, or of a length that nobody has seen."""
    lacking = weigh(quotes(chain(1), minutes(rows)), MINUTELY).findings.lacking
    assert lacking[0].startswith(f"{rows} rows per contract are no known grid (391 for 09:30–16:00, 406 for ")


def test_a_grid_that_begins_late_is_lacking() -> None:
    """391 rows from 09:45 are not those from 09:30."""
    rows = quotes(chain(1), minutes(406)[15:])
    assert len(rows) == 2 * 391
    assert "no known grid" in weigh(rows, MINUTELY).findings.lacking[0]


def test_rows_off_the_grid_are_lacking() -> None:
    """Before, after and between its stamps."""
    rows = quotes(chain(1), minutes(391))
    stamps = [timedelta(hours=-2), timedelta(seconds=30), timedelta(milliseconds=1), timedelta(hours=9)]
    extra = [ROWS[0].but(0, rows[0].values[0] + shift) for shift in stamps]  # type: ignore[operator]
    assert "4 rows lie off the grid of 1m" in weigh([*rows, *extra], MINUTELY).findings.lacking


def test_two_builds_are_no_fault_and_uneven_ones_are_asked_again() -> None:
    """Before 2022 every contract came twice (thetadata-v3.md §5.3); half of a second build may be half an answer."""
    rows = end_of_day(chain(), 2)
    assert weigh(rows, EOD).findings.surplus == ()
    assert "3 contracts have fewer rows than the others" in weigh([*rows[:2], *rows[2::2]], EOD).findings.surplus[0]
    assert weigh([*rows, rows[3]], EOD).findings.surplus == ("1 row came more than once",)


def test_open_interest_comes_once_and_not_for_every_contract() -> None:
    """Two values for one contract contradict each other; a few absent contracts are normal."""
    contracts = chain(20)
    rows = open_interest(contracts)
    assert weigh(rows, OPEN_INTEREST, listed=frozenset(contracts)).proof is Proof.FULL
    assert "up to 2 different rows" in weigh([*rows, rows[3].but(1, 7)], OPEN_INTEREST).findings.surplus[0]
    few = weigh(rows[4:], OPEN_INTEREST, listed=frozenset(contracts))
    assert (few.fate, few.proof, few.findings.surplus) == (Fate.SAVE, Proof.REMARKS, ())
    assert "the exchange sent none" in few.findings.remarks[0]
    many = weigh(rows[5:], OPEN_INTEREST, listed=frozenset(contracts))
    assert many.fate is Fate.ASK_AGAIN


def test_crossed_and_zero_quotes_are_remarked() -> None:
    """Five crossed rows in a hundred are a market, more are odd; a whole day of zeros is."""
    crossed = [row.but(3, Decimal("9.00")).but(7, Decimal("8.00")) for row in ROWS]
    zero = [row.but(3, Decimal(0)).but(7, Decimal(0)) for row in ROWS]
    assert weigh([*crossed[:2], *ROWS[2:]]).remarks == ()
    assert "3 of 56 rows are crossed" in weigh([*crossed[:3], *ROWS[3:]]).findings.remarks[0]
    assert weigh(zero).findings.remarks == ("every quote is zero",)


def test_a_last_row_without_line_end_may_be_cut() -> None:
    """A whole row, if it ends like the row before it; a 5 below a 50 is asked for again."""
    unended = Printer(final_newline=False)
    assert weigh(ROWS, printer=unended).fate is Fate.SAVE
    assert weigh([*ROWS[:-1], ROWS[-1].but(8, 5)], printer=unended).fate is Fate.ASK_AGAIN
    assert weigh([*ROWS[:-1], ROWS[-1].but(8, 5)]).fate is Fate.SAVE


@pytest.mark.parametrize(
    ("findings", "earlier", "fate", "proof"),
    [
        (Findings(list_known=True, list_complete=True), "", Fate.SAVE, Proof.FULL),
        (Findings(list_known=True, list_complete=True), "other", Fate.SAVE, Proof.FULL),
        (Findings(remarks=("odd",), list_known=True, list_complete=True), "", Fate.SAVE, Proof.FULL),
        (Findings(remarks=("absent",), list_known=True), "", Fate.SAVE, Proof.REMARKS),
        (Findings(), "", Fate.SAVE, Proof.NO_CONTRACT_LIST),
        (Findings(surplus=("twice",)), "", Fate.ASK_AGAIN, Proof.REMARKS),
        (Findings(surplus=("twice",)), "other", Fate.ASK_AGAIN, Proof.REMARKS),
        (Findings(surplus=("twice",)), "content", Fate.SAVE, Proof.REMARKS),
        (Findings(lacking=("short",)), "", Fate.ASK_AGAIN, Proof.REMARKS),
        (Findings(lacking=("short",)), "other", Fate.ASK_AGAIN, Proof.REMARKS),
        (Findings(lacking=("short",)), "content", Fate.KEEP_ASIDE, Proof.REMARKS),
        (Findings(lacking=("short",), surplus=("twice",), list_known=True), "content", Fate.KEEP_ASIDE, Proof.REMARKS),
    ],
)
def test_the_table_of_fates(findings: Findings, earlier: str, fate: Fate, proof: Proof) -> None:
    """Nothing doubtful is saved at first sight, nothing lacking ever without `accept`."""
    assert judge(findings, "content", earlier) == (fate, proof)


def ladder(strikes: int, expiration: date = DAY) -> list[Contract]:
    return [
        Contract(expiration, 1000 * (1 + step), right) for step in range(strikes) for right in (Right.CALL, Right.PUT)
    ]


def absent(selection: str, listed: list[Contract], received: list[Contract]) -> int:
    return len(Expected(Collection(HOURLY.name, selection, SYMBOL), DAY, listed).absent(received))


@law
@given(st.integers(1, 30), st.integers(1, 8), st.integers(-3, 33), st.booleans())
def test_a_window_of_strikes_is_whole_wherever_it_lies(strikes: int, reach: int, money: int, between: bool) -> None:
    """n above, n below and the one at the money, if there is one; cut off where the ladder ends."""
    steps = range(max(0, money - reach + between), min(strikes, money + reach + 1))
    every = ladder(strikes)
    received = [contract for contract in every if contract.strike_mills // 1000 - 1 in steps]
    assume(received)
    assert absent(f"strike_range={reach}", every, received) == 0


@law
@given(st.integers(3, 8), st.integers(9, 20), st.data())
def test_what_is_missing_in_a_window_of_strikes_is_found(reach: int, money: int, data: st.DataObject) -> None:
    """A strike, a right, or an end of it. At the edge one may be missing: perhaps no strike was at the money."""
    every = ladder(30)
    window = [contract for contract in every if abs(contract.strike_mills // 1000 - 1 - money) <= reach]
    gone = data.draw(st.integers(2, len(window) - 3))
    assert absent(f"strike_range={reach}", every, [*window[:gone], *window[gone + 1 :]]) == 1
    for short in (window[4:], window[:-4]):
        assert absent(f"strike_range={reach}", every, short) > 0


def test_an_expiration_without_any_contract_is_missed_in_a_window_too() -> None:
    """Its middle stands for the window that nobody saw."""
    week = DAY + timedelta(days=7)
    every = ladder(30) + ladder(30, week) + ladder(1, week + timedelta(days=7))
    window = [contract for contract in ladder(30) if 10 <= contract.strike_mills // 1000 <= 14]
    assert absent("strike_range=2", every, window) == 2 * 5 + 2


def test_a_selection_cuts_the_list() -> None:
    """What was not asked for is not absent, and what was not asked for is not expected to come."""
    week = DAY + timedelta(days=7)
    every = ladder(5) + ladder(5, week)
    calls = [contract for contract in every if contract.right is Right.CALL]
    assert absent("max_dte=6", every, ladder(5)) == 0
    assert absent("max_dte=7", every, ladder(5)) == 10
    assert absent("right=call", every, calls) == 0
    assert absent("right=put", every, calls) == 10
    assert absent("max_dte=0,strike_range=1,right=call", every, every[2:8:2]) == 0
    shown = compare_with_list(HOURLY, Collection(HOURLY.name, "right=call", SYMBOL), DAY, every, frozenset(every))
    assert shown[0].startswith("10 contracts are not in the vendor's list")
    assert compare_with_list(HOURLY, Collection(HOURLY.name, "", SYMBOL), DAY, every, frozenset(every)) == ()


def test_contracts_that_had_expired_are_doubted() -> None:
    """Expirations of 1882 have been published: saved if they come again, and named."""
    old = ladder(1, date(1882, 1, 20))
    seen = weigh(quotes([*ladder(5), *old]))
    assert len(seen.findings.surplus) == 1
    assert seen.findings.surplus[0].startswith("2 contracts had expired: 1882-01-20")
    assert (seen.fate, seen.findings.lacking) == (Fate.ASK_AGAIN, ())


def test_what_this_vendor_usually_leaves_out_is_a_remark_and_more_is_lacking() -> None:
    """As the vendor profile has learned it: of ten listed contracts one or two have no quotes, and three is news."""
    habits = Habits(unquoted=0.1)
    listed = ladder(5)
    rows = quotes(listed)

    def seen(absent: int) -> Findings:
        kept = {str(contract) for contract in listed[absent:]}
        shard = Shard(Collection(HOURLY.name, "", SYMBOL), DAY)
        weighing = Weighing(shard, HOURLY, grid_of(HOURLY, half_day=False), habits)
        weighing.feed(LIVE.body(HOURLY, [row for row in rows if str(row.contract) in kept]))
        weighing.finish()
        return weighing.weigh(frozenset(listed), "").findings

    assert [(bool(seen(n).remarks), bool(seen(n).lacking)) for n in (0, 1, 3)] == [
        (False, False), (True, False), (False, True)
    ]  # fmt: skip


def test_a_day_saved_without_a_list_lacks_what_would_not_have_been_saved_with_one() -> None:
    """A list that comes later is held to the same measure: one contract in a hundred, and any number of open interest,
    of which there is none for what was listed that very day."""
    every = frozenset(ladder(100))
    collection = Collection(HOURLY.name, "", SYMBOL)
    two, three = sorted(every, key=str)[2:], sorted(every, key=str)[3:]
    assert lacks_contracts(HOURLY, collection, DAY, two, every) == ""
    assert lacks_contracts(HOURLY, collection, DAY, three, every).startswith("3 of 200 listed contracts are absent")
    some = Collection(OPEN_INTEREST.name, "", SYMBOL)
    assert lacks_contracts(OPEN_INTEREST, some, DAY, three, every) == ""


def test_a_day_far_from_its_neighbours_is_remarked_and_only_with_evidence() -> None:
    """Less than two fifths or more than two and a half times what they usually have; a half-day is neither."""
    usual = [1000, 1100, 900, 1000, 1000]
    assert size_remark(390, usual) == "far from its neighbours in size: 390 rows, they have about 1000"
    assert size_remark(2501, usual) != ""
    assert [size_remark(rows, usual) for rows in (400, 540, 1000, 2500)] == [""] * 4
    assert size_remark(1, usual[:4]) == ""
