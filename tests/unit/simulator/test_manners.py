"""How another vendor would say the same: each manner alone, and all of them served."""

import gzip
import json
from datetime import date
from pathlib import Path

import aiohttp
import pytest

from tests.unit.fetch.raw_server import in_a_loop
from tests.unit.simulator.asking import CHAIN_DAY, CONTRACTS, DAY, QUOTE, asking
from thetabulk.model import Tier
from thetabulk.simulator.manners import AS_USUAL, Manners, manners_of, read_manners
from thetabulk.simulator.settings import parse_arguments

COLUMNS = ("symbol", "expiration", "strike", "right", "timestamp", "bid")
ROW = b'"QQQ","2024-08-16",455.000,"CALL",2024-08-02T09:30:00.000,0.10\n'


def printed(manners: Manners, *rows: bytes) -> bytes:
    return b"".join(manners.printed(COLUMNS, iter(rows), b"\n"))


@pytest.mark.parametrize(
    ("manners", "row"),
    [
        (AS_USUAL, ROW),
        (Manners(line_end=b"\r\n"), ROW.replace(b"\n", b"\r\n")),
        (Manners(stamps="trimmed"), ROW.replace(b"00.000,", b"00,")),
        (Manners(quoted=frozenset()), ROW.replace(b'"', b"")),
        (
            Manners(quoted=frozenset({"right", "timestamp"})),
            b'QQQ,2024-08-16,455.000,"CALL","2024-08-02T09:30:00.000",0.10\n',
        ),
    ],
)
def test_a_row_in_another_print(manners: Manners, row: bytes) -> None:
    """The values stay; the rest is as it is said."""
    assert printed(manners, ROW) == row


def test_decimals_of_a_fraction_survive_both_ways() -> None:
    """Three of them where they are fixed, and none too few where they are not."""
    early = ROW.replace(b"00.000,0", b"00.250,0")
    short = printed(Manners(stamps="trimmed"), early)
    assert b"09:30:00.25," in short
    assert printed(Manners(stamps="fixed"), short) == early


def test_rows_by_time_are_the_same_rows() -> None:
    """One moment after the other."""
    later = ROW.replace(b"09:30", b"10:30")
    put, later_put = ROW.replace(b"CALL", b"PUT"), later.replace(b"CALL", b"PUT")
    by_contract = iter([ROW + later, put + later_put])
    assert b"".join(Manners(order="time").ordered(COLUMNS, by_contract)) == ROW + put + later + later_put
    blocks = [ROW.replace(b"455", b"%d" % strike) + later.replace(b"455", b"%d" % strike) for strike in range(450, 460)]
    mixed = b"".join(Manners(order="other").ordered(COLUMNS, iter(blocks))).splitlines()
    assert sorted(mixed) == sorted(b"".join(blocks).splitlines())
    assert mixed not in (b"".join(blocks).splitlines(), sorted(mixed, key=lambda line: line.split(b",")[4]))
    assert list(AS_USUAL.ordered(COLUMNS, iter([ROW]))) == [ROW]


def test_only_the_last_line_end_is_left_out() -> None:
    """Wherever the pieces end."""
    manners = Manners(final_newline=False)
    assert list(manners.ended(iter([b"a\n", b"b\r\n"]))) == [b"a\n", b"b"]
    assert list(manners.ended(iter([]))) == []


@pytest.mark.parametrize(("unquoted", "unlisted"), [(0.2, 0.0), (0.0, 0.1), (0.25, 0.2), (0.0, 0.0)])
def test_a_list_that_is_another_one(unquoted: float, unlisted: float) -> None:
    """The shares are those that were asked for, to the contract."""
    lines = [b'"QQQ","2024-08-16",%d.000,"CALL"\n' % strike for strike in range(100, 200)]
    listed = Manners(unquoted=unquoted, unlisted=unlisted).listed(lines)
    extra = set(listed) - set(lines)
    assert len(listed) == len(set(listed))
    assert len(set(lines) - set(listed)) == round(100 * unlisted)
    assert len(extra) / len(listed) == pytest.approx(unquoted, abs=0.01)


def test_answers_without_data_are_told_in_its_words() -> None:
    """By what they are about; what it has no words for is said as usual."""
    told = {"weekend": (200, "Closed on {date}"), "above": (403, "{symbol}: call sales")}
    manners, first = Manners(told=told), date(2012, 6, 1)
    assert manners.answer(472, date(2024, 8, 3), "QQQ", first) == (200, "Closed on 2024-08-03")
    assert manners.answer(472, date(2024, 7, 4), "QQQ", first) == (200, "Closed on 2024-07-04")
    assert manners.answer(403, date(2024, 7, 5), "QQQ", first) == (403, "QQQ: call sales")
    assert manners.answer(429, date(2024, 7, 5), "QQQ", first) is None
    assert AS_USUAL.answer(472, date(2024, 8, 3), "QQQ", first) is None


@in_a_loop
async def test_grids_are_served_as_they_were_seen() -> None:
    """For what trades until 16:15 and for what does not, on whole and on half days, however late is asked for."""
    grids = [
        {"symbol": symbol, "half_day": half, "until": "16:15", "first": first, "last": last, "rows": 0}
        for symbol, half, first, last in (
            ("QQQ", False, "09:31", "16:14"), ("QQQ", True, "09:30", "13:29"), ("AAPL", False, "09:30", "15:59"),
        )
    ]  # fmt: skip
    async with asking(manners=manners_of({"grids": grids})) as asker:

        async def rows(symbol: str, day: str) -> int:
            reply = await asker.chain_day(symbol=symbol, date=day, interval="1m", end_time="16:15:00")
            return len(reply.rows) // len(set(reply.keys))

        assert await rows("QQQ", DAY) == 404
        assert await rows("QQQ", "2023-11-24") == 240
        assert await rows("AAPL", DAY) == 390
        assert await rows("AAPL", "2023-11-24") == 211, "nothing was seen of it: as usual"


@in_a_loop
async def test_what_is_said_of_stocks_and_indices_names_the_tier() -> None:
    """FREE, unless the profile says more; then it is served from the tier's first day on."""
    bars = "/v3/stock/history/ohlc"
    async with asking() as asker:
        reply = await asker.get(bars, symbol="QQQ", date=DAY)
        assert (reply.status, "you only have a FREE subscription" in reply.text) == (403, True)
    async with asking(manners=manners_of({"tiers": {"stock": "value", "index": "pro"}})) as asker:
        assert (await asker.get(bars, symbol="QQQ", date=DAY)).lines[0].startswith("timestamp,open")
        assert len((await asker.get("/v3/index/history/price", symbol="SPX", date="2017-03-01")).rows) == 7
        refused = await asker.get(bars, symbol="QQQ", date="2020-12-31")
        assert (refused.status, "you only have a VALUE subscription" in refused.text) == (403, True)
        assert (await asker.get(bars, symbol="QQQ", date="2024-08-03")).status == 472
        assert (await asker.get(bars, symbol="QQQ", date="soon")).status == 400
        assert asker.simulator.account.requests == 8


@in_a_loop
async def test_a_list_may_be_missing() -> None:
    async with asking(manners=manners_of({"contract_list": {"relation": "missing"}})) as asker:
        assert (await asker.get(CONTRACTS, symbol="QQQ", date=DAY)).status == 472


@in_a_loop
async def test_compression_is_served_to_those_who_ask() -> None:
    """With identity, as the client asks, nothing is packed."""
    async with asking(manners=Manners(gzip=True)) as asker, aiohttp.ClientSession(auto_decompress=False) as session:
        plain = await asker.chain_day()
        url = asker.simulator.url + QUOTE
        async with session.get(url, params=CHAIN_DAY, headers={"Accept-Encoding": "gzip"}) as response:
            packed = await response.read()
        async with session.get(url, params=CHAIN_DAY, headers={"Accept-Encoding": "identity"}) as response:
            assert await response.read() == plain.body
    assert gzip.decompress(packed) == plain.body


@in_a_loop
async def test_without_a_profile_nothing_changes() -> None:
    """The same bytes as ever."""
    async with asking() as asker, asking(manners=manners_of({})) as other:
        for path in (QUOTE, CONTRACTS):
            assert (await asker.get(path, **CHAIN_DAY)).body == (await other.get(path, **CHAIN_DAY)).body


def test_a_profile_or_a_bundle_is_read(tmp_path: Path) -> None:
    """And the tier of options in it is the account's, unless one is said."""
    fields: dict[str, object] = {
        "line_end": "\r\n",
        "tiers": {"option": "pro"},
        "final_newline": None,
        "grids": [],
        "told": [],
    }
    for name, document in (("profile", fields), ("bundle", {"profile": fields, "answers": []})):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
        found = parse_arguments(["--profile", str(tmp_path / name)])
        assert (found.manners.line_end, found.manners.final_newline, found.tier) == (b"\r\n", True, Tier.PRO)
        assert parse_arguments(["--profile", str(tmp_path / name), "--tier", "free"]).tier is Tier.FREE


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"tiers": {"option": "gold"}}', '{"grids": [{}]}', '{"contract_list": {"unquoted": 1}}']
)
def test_what_is_no_profile_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, as for every other option that makes no sense."""
    (tmp_path / "file").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="file is no vendor profile"):
        read_manners(tmp_path / "file")
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["--profile", str(tmp_path / "file")])
    assert ended.value.code == 2
    assert capsys.readouterr().err
