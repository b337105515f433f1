"""Each fact of the vendor profile, from bytes that were written by hand: nothing here was made by the simulator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetabulk.model import Tier
from thetabulk.plan import facts
from thetabulk.plan.facts import ListFact, Span, Table

HEADER = "symbol,expiration,strike,right,timestamp,bid_size,bid_exchange,bid,bid_condition"
LIVE = (
    f"{HEADER}\n"
    '"QQQ","2024-11-08",220.000,"CALL",2024-11-04T09:30:00.000,0,42,0.00,50\n'
    '"QQQ","2024-11-08",220.000,"CALL",2024-11-04T09:31:00.000,598,5,4.55,50\n'
    '"QQQ","2024-11-08",220.000,"PUT",2024-11-04T09:30:00.000,0,42,0.00,50\n'
    '"QQQ","2024-11-08",220.000,"PUT",2024-11-04T09:31:00.000,1,5,4.60,50\n'
).encode()
SPEC = LIVE.replace(b'"', b"").replace(b".000,", b",").replace(b"220,", b"220.000,").replace(b"\n", b"\r\n")


def read(body: bytes) -> Table:
    found = facts.table(body)
    assert found is not None
    return found


def times(*clocks: str, rights: str = "C", by_time: bool = False) -> bytes:
    """An answer with these clock times for each right."""
    pairs = [(right, clock) for right in rights for clock in clocks]
    if by_time:
        pairs.sort(key=lambda pair: pair[1])
    rows = [f"QQQ,2024-11-08,220.000,{right},2024-11-04T{clock},1,5,4.55,50" for right, clock in pairs]
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.mark.parametrize(
    ("body", "end", "newline"),
    [
        (LIVE, "\n", True),
        (SPEC, "\r\n", True),
        (LIVE[:-1], "\n", False),
        (SPEC[:-2], "\r\n", False),
        (SPEC.replace(b"\r\n", b"\n", 2), "mixed", True),
        (b"", None, None),
        (b"No data found for your request", None, None),
    ],
)
def test_line_ends(body: bytes, end: str | None, newline: bool | None) -> None:
    """The end of most lines, and whether the last one has it; a text without lines decides neither."""
    assert (facts.line_end(body), facts.final_newline(body)) == (end, newline)


@pytest.mark.parametrize(
    ("body", "quoted", "header"),
    [
        (LIVE, ("symbol", "expiration", "right"), False),
        (SPEC, (), False),
        (LIVE.replace(b"symbol,", b'"symbol",', 1), ("symbol", "expiration", "right"), True),
        (b'"symbol","strike"\n"QQQ","220.000"\nQQQ,230.000\n"QQQ","240.000"\n', ("symbol", "strike"), True),
    ],
)
def test_quoting(body: bytes, quoted: tuple[str, ...], header: bool) -> None:
    """The columns that stand in quotes in most rows."""
    assert (facts.quoted_columns(read(body)), read(body).header_quoted) == (quoted, header)


@pytest.mark.parametrize(
    ("header", "unlike"),
    [
        (HEADER, ""),
        (f"{HEADER},venue,flags", "appended venue, flags"),
        (HEADER.replace(",bid_condition", ""), "changed"),
        (HEADER.replace("bid_size,bid_exchange", "bid_exchange,bid_size"), "changed"),
    ],
)
def test_columns(header: str, unlike: str) -> None:
    """By name and order: what is appended can be kept, anything else cannot."""
    names = tuple(header.split(","))
    assert facts.columns_unlike(Table(names, (), False), HEADER.split(",")) == unlike


@pytest.mark.parametrize(
    ("clocks", "style"),
    [
        (("09:30:00.000", "09:30:01.250"), "fixed"),
        (("09:30:00", "09:30:01.25"), "trimmed"),
        (("09:30:00", "09:31:00"), "trimmed"),
        (("09:30:00.000", "09:31:00"), "mixed"),
        (("09:30:00.123", "09:31:00.456"), None),
        (("09:30",), "9999-99-99T99:99"),
        (("09:30:00-05:00",), "9999-99-99T99:99:99-99:99"),
        (("09:30:00.000000",), "9999-99-99T99:99:99.999999"),
    ],
)
def test_time_stamps(clocks: tuple[str, ...], style: str | None) -> None:
    """Three decimals, trimmed, or a shape that thetabulk cannot read; without a zero to look at, nobody knows."""
    assert facts.stamp_style(read(times(*clocks))) == style


def test_a_quoted_time_stamp_is_one() -> None:
    assert facts.stamp_style(read(b'symbol,timestamp\nQQQ,"2024-11-04T09:30:00.000"\n')) == "fixed"


@pytest.mark.parametrize(
    ("body", "order"),
    [
        (LIVE, "contract"),
        (times("09:30:00", "09:31:00", rights="CP"), "contract"),
        (times("09:30:00", "09:31:00", rights="CP", by_time=True), "time"),
        (times("09:31:00", "09:30:00", rights="CP"), "other"),
        (times("09:30:00", "09:31:00", rights="C"), None),
        (times("09:30:00", rights="CP"), None),
        (times("09:30:00", "09:31:00", "09:30:00", rights="CP"), "other"),
        (b"timestamp,price\n2024-11-04T09:30:00,1\n2024-11-04T10:30:00,2\n", None),
    ],
)
def test_order_of_rows(body: bytes, order: str | None) -> None:
    """Seen from at least two contracts at two moments; one of either looks the same in every order."""
    assert facts.row_order(read(body)) == order


@pytest.mark.parametrize(
    ("clocks", "grid"),
    [
        (("09:30:00", "09:31:00", "09:32:00"), Span("09:30", "09:32", 3)),
        (("09:31:00.000", "09:32:00.000"), Span("09:31", "09:32", 2)),
        (("09:30:00", "09:32:00"), None),
        (("09:30:59", "09:31:59"), None),
        (("0930", "0931"), None),
    ],
)
def test_minute_grids(clocks: tuple[str, ...], grid: Span | None) -> None:
    """Whole minutes without a gap; anything else is no grid to be learned."""
    assert facts.minute_grid(read(times(*clocks, rights="CP"))) == grid


def test_contracts_that_disagree_are_no_grid() -> None:
    """One of them may have been cut."""
    whole = times("09:30:00", "09:31:00", rights="CP")
    assert facts.minute_grid(read(whole[: whole[:-1].rfind(b"\n") + 1])) is None


def test_a_whole_day_of_minutes() -> None:
    """406 rows from 09:30 to 16:15."""
    clocks = [f"{minute // 60:02d}:{minute % 60:02d}:00" for minute in range(570, 976)]
    assert facts.minute_grid(read(times(*clocks))) == Span("09:30", "16:15", 406)


@given(st.permutations([f"{minute // 60:02d}:{minute % 60:02d}:00" for minute in range(570, 590)]))
def test_a_grid_is_the_same_in_every_order(clocks: list[str]) -> None:
    assert facts.minute_grid(read(times(*clocks))) == Span("09:30", "09:49", 20)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n", HEADER.encode(), f"{HEADER}\n".encode(), b"No data found for your request",
        b"<html><body>symbol</body></html>", b"\xff\xfe\x00", b"timestamp", b"expiration,strike\n2024-11-08,1\n",
    ],
)  # fmt: skip
def test_what_is_no_table(body: bytes) -> None:
    """A header alone, a text, a page, nothing."""
    assert facts.table(body) is None


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange(noise: bytes) -> None:
    """Every fact has an answer for whatever comes, after a real header as well."""
    for body in (noise, HEADER.encode() + b"\n" + noise, LIVE + noise):
        facts.line_end(body)
        facts.final_newline(body)
        found = facts.table(body)
        if found is not None:
            facts.quoted_columns(found)
            facts.stamp_style(found)
            facts.row_order(found)
            facts.minute_grid(found)
            facts.contract_keys(found)


def test_a_contract_is_the_same_in_every_print() -> None:
    """`220.000` and `220`, `2024-11-08` and `20241108`, CALL and C, quoted or not."""
    live = facts.contract_keys(read(LIVE))
    other = b"symbol,expiration,strike,right\nQQQ,20241108,220,C\nQQQ,20241108,220.0,P\n"
    assert live == facts.contract_keys(read(other)) == {("20241108", "220", "C"), ("20241108", "220", "P")}


def keys(*strikes: int) -> frozenset[facts.Key]:
    return frozenset(("20241108", str(strike), "C") for strike in strikes)


@pytest.mark.parametrize(
    ("listed", "quoted", "fact"),
    [
        (keys(1, 2), keys(1, 2), ListFact("equal")),
        (keys(1, 2, 3, 4), keys(1, 2, 3), ListFact("superset", 0.25, 0.0)),
        (keys(1), keys(1, 2), ListFact("subset", 0.0, 0.5)),
        (keys(1, 2), keys(2, 3), ListFact("overlap", 0.5, 0.5)),
        (None, keys(1), ListFact("missing")),
        (keys(8, 9), keys(1), ListFact("missing")),
        (keys(1), frozenset(), None),
    ],
)
def test_the_list_against_the_quotes(
    listed: frozenset[facts.Key] | None, quoted: frozenset[facts.Key], fact: ListFact | None
) -> None:
    """A list that has nothing to do with the quotes is none; without quotes nothing can be said."""
    assert facts.compare_list(listed, quoted) == fact


def test_the_worst_of_several_days_counts() -> None:
    """Each share the largest that was seen; a list that was there once is not missing."""
    seen = [ListFact("superset", 0.2, 0.0), None, ListFact("subset", 0.0, 0.1), ListFact("missing")]
    assert facts.worst_list(seen) == ListFact("overlap", 0.2, 0.1)
    assert facts.worst_list([None, ListFact("missing")]) == ListFact("missing")
    assert facts.worst_list([None]) is None


@pytest.mark.parametrize(
    ("headers", "framing"),
    [
        ({"transfer-encoding": "chunked"}, "chunked"),
        ({"content-length": "30"}, "length"),
        ({"connection": "close"}, "close"),
    ],
)
def test_how_a_body_ends(headers: dict[str, str], framing: str) -> None:
    assert facts.framing(headers) == framing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("No data found for your request", True),
        ("{date} is beyond your plan", True),
        ("", False),
        ("<html>", False),
        ('{"error": 1}', False),
        ("two\nlines", False),
        (HEADER, False),
        ("timestamp,price", False),
    ],
)
def test_what_counts_as_words(text: str, words: bool) -> None:
    """A header without rows is none: an answer that was cut there must never mean "no data"."""
    assert facts.is_words(text) is words


def test_the_banner() -> None:
    """As a Terminal was seen to print it (thetadata-v3.md §1.5)."""
    banner = (
        "[12:00:01] Subscriptions: Stock: STANDARD  Options: PROFESSIONAL  Index: FREE  Rate: FREE\n"
        "[12:00:01] Max concurrent requests: 8\n"
    )
    tiers = {"stock": Tier.STANDARD, "option": Tier.PRO, "index": Tier.FREE, "rate": Tier.FREE}
    assert facts.tiers_in_banner(banner) == tiers
    assert facts.requests_in_banner(banner) == 8
    assert facts.tiers_in_banner("") == {}
    assert facts.requests_in_banner("Max concurrent requests: 0") is None
